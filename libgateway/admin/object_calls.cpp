#include "libgateway/admin/object_calls.hpp"

#include <algorithm>

#include "libgateway/admin/draft.hpp"
#include "libgateway/admin/listing.hpp"
#include "libgateway/admin/object_check.hpp"
#include "libgateway/admin/patch.hpp"
#include "libgateway/admin/references.hpp"
#include "libgateway/admin/secret_fields.hpp"
#include "libgateway/base/clock.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/idle_objects.hpp"

namespace gateway::admin {

namespace asio = boost::asio;
using config::Kind;
using json::Value;

namespace {

constexpr unsigned most_generated = 8;  // ids tried until one is free

Reply key_not_found() {
    return json_reply(404, R"({"message":"Key not found"})");
}

std::string about(std::string_view before, const Place& place, std::string_view after) {
    return std::string(before).append(place.resource->name).append(after);
}

bool is_credential(const Place& place) noexcept {
    return place.resource == &credentials();
}

// Segments below /apisix/admin as a place; what follows it is the path of a PATCH.
std::optional<Place> place_of(const std::vector<std::string>& segments, std::vector<std::string>& rest) {
    Place place;
    place.resource = find_resource(segments[0]);
    if (!place.resource) return std::nullopt;
    std::size_t at = 1;
    if (segments[0] == "consumers" && segments.size() > 2 && segments[2] == "credentials") {
        place.resource = &credentials();
        place.user = segments[1];
        at = 3;
    }
    if (segments.size() > at) place.id = segments[at++];
    if (segments[0] == "secrets" && segments.size() > at) place.id += "/" + segments[at++];
    rest.assign(segments.begin() + static_cast<std::ptrdiff_t>(std::min(at, segments.size())), segments.end());
    return place;
}

bool is_secret(const Place& place) noexcept {
    return place.resource->kind == Kind::secret;
}

// Of a call that needs the name of one object.
Reply missing_id(const Place& place) {
    if (is_secret(place)) return refuse(400, "no secret id");
    if (place.resource->kind == Kind::plugin_metadata) return refuse(400, "missing plugin name");
    return refuse(400, about("missing ", place, " id"));
}

bool has_id(const Place& place) noexcept {
    return is_secret(place) ? place.id.find('/') != std::string::npos : !place.id.empty();
}

// Of kinds that this build does not have.
Reply answer_unbuilt(const Call& call) {
    if (call.method != Method::get) return refuse(400, "not supported by this build");
    if (!call.place.id.empty()) return key_not_found();
    return call.envelope.list(call.place.key(""), {}, 0);
}

}  // namespace

Reply refused_write(const store::Written& written, std::string_view lost_race) {
    const std::string first = written.errors.empty() ? std::string() : written.errors.front();
    switch (written.status) {
        case store::WriteStatus::conflict:
            return refuse(lost_race.empty() ? 412 : 503, lost_race.empty() ? "precondition failed" : lost_race);
        case store::WriteStatus::unavailable:
            return refuse(503, first.empty() ? "the store cannot be written" : first);
        default:
            return refuse(400, first);
    }
}

void tell_lagging(const store::Written& written, Reply& reply) {
    if (written.lagging.empty()) return;
    std::string pids;
    for (const std::uint32_t pid : written.lagging) pids.append(pids.empty() ? "" : ", ").append(std::to_string(pid));
    reply.fields.emplace_back("X-Gateway-Pending", std::move(pids));
}

asio::awaitable<Reply> ObjectCalls::answer(Call call, std::vector<std::string> segments) {
    const auto place = place_of(segments, call.path);
    if (!place) co_return refuse(404, "Unsupported resource type: " + segments[0]);
    call.place = *place;
    const Resource& resource = *place->resource;
    if (resource.kind == Kind::stream_route && !call.stream_mode)
        co_return refuse(400, "stream mode is disabled, can not add stream routes");
    const bool patch_path = call.method == Method::patch && resource.allows(Method::patch);
    if (!resource.allows(call.method)) {
        co_return refuse(405, about("not supported `" + call.request->method + "` method for ", call.place, ""));
    }
    if (!call.path.empty() && !patch_path) co_return refuse(404, "not found");
    if (!resource.kind) co_return answer_unbuilt(call);
    const bool disguised = !is_credential(call.place) && config::credential_name(call.place.id);
    if (disguised) co_return key_not_found();
    if (call.method == Method::get) co_return show(call);
    if (std::string why = objects_.closed(); !why.empty()) co_return refuse(503, why);
    Answer work = call.method == Method::put     ? put(std::move(call))
                  : call.method == Method::post  ? post(std::move(call))
                  : call.method == Method::patch ? this->patch(std::move(call))
                                                 : remove(std::move(call));
    Reply reply = co_await std::move(work);
    co_return reply;
}

Reply ObjectCalls::show(const Call& call) const {
    if (is_credential(call.place) && !objects_.find(Kind::consumer, call.place.user))
        return refuse(404, "consumer not found");
    return call.place.id.empty() ? show_list(call) : show_one(call);
}

Reply ObjectCalls::show_one(const Call& call) const {
    const Place& place = call.place;
    const auto object = objects_.find(*place.resource->kind, place.stored_id(place.id));
    return object ? call.envelope.one(shown(place, *object)) : key_not_found();
}

Reply ObjectCalls::show_list(const Call& call) const {
    const Place& place = call.place;
    const bool v3 = call.envelope.version() == Version::v3;
    const Listing listing(*place.resource, v3 ? *call.target : Target(""));
    if (const auto& refusal = listing.refusal())
        return refusal->plain ? text_reply(400, refusal->text) : refuse(400, refusal->text);
    std::vector<store::StoredPtr> objects;
    objects_.each(*place.resource->kind, [&](const store::StoredPtr& object) {
        const auto credential = place.resource->kind == Kind::consumer ? config::credential_name(object->id)
                                                                       : std::optional<config::CredentialName>();
        const bool belongs = is_credential(place) ? credential && credential->username == place.user : !credential;
        if (belongs && listing.keeps(*object)) objects.push_back(object);
        return true;
    });
    const std::size_t total = objects.size();
    listing.cut(objects);
    std::vector<Shown> list;
    list.reserve(objects.size());
    for (const store::StoredPtr& object : objects) list.push_back(shown(place, *object));
    return call.envelope.list(place.key(""), list, total);
}

Shown ObjectCalls::shown(const Place& place, const store::Stored& object) const {
    const auto credential = is_credential(place) ? config::credential_name(object.id) : std::nullopt;
    const std::string_view short_id = credential ? credential->id : std::string_view(object.id);
    return {place.key(short_id), shown_value(place, object, true), object.created, object.modified};
}

std::shared_ptr<const keyring::Keyring> ObjectCalls::ring_for(Kind kind) const {
    return kind == Kind::ssl ? objects_.key_ring() : objects_.keyring();
}

std::string ObjectCalls::shown_value(const Place& place, const store::Stored& object, bool open) const {
    const auto ring = open && may_hold_secrets(object.kind, object.json) ? objects_.keyring() : nullptr;
    if (!ring && !is_credential(place) && object.kind != Kind::ssl) return object.json;
    Value value = json::parse(object.json, {.positions = false});
    open_secrets(object.kind, object.id, value, ring.get());
    hide_keys(object.kind, value);
    if (const auto name = config::credential_name(object.id); name && is_credential(place)) value.set("id", name->id);
    return json::write(value);
}

std::optional<Reply> ObjectCalls::owned(const Place& place, std::string_view short_id) const {
    const std::string id = place.stored_id(short_id);
    const std::string where = objects_.defined_at(*place.resource->kind, id);
    if (where.empty()) return std::nullopt;
    std::string text(is_credential(place) ? place.resource->name : config::kind_name(*place.resource->kind));
    return refuse(400, text.append(" [").append(id).append("] is defined in ").append(where));
}

std::optional<Reply> ObjectCalls::read_body(const Call& call, std::string_view absent, Value& body) const {
    const std::string& text = call.request->body;
    if (text.empty()) return refuse(400, absent);
    return parse_body(text, body);
}

std::optional<Reply> ObjectCalls::expect_version(const Call& call, const store::StoredPtr& before,
                                                 std::optional<std::uint64_t>& expected) const {
    const std::string* condition = call.request->field("If-Match");
    if (!condition) return std::nullopt;
    const auto wanted = read_condition(*condition);
    const std::uint64_t now = before ? before->modified : 0;
    if (!wanted.valid) return refuse(400, "invalid If-Match: expected a modifiedIndex, or *");
    if (now == 0 || (!wanted.any && wanted.index != now)) return refuse(412, "precondition failed");
    expected = now;
    return std::nullopt;
}

std::optional<Reply> ObjectCalls::name_secret(const Place& place, Draft& draft) const {
    if (!has_id(place)) return missing_id(place);
    const std::string manager = place.id.substr(0, place.id.find('/'));
    if (!config::is_secret_manager(manager)) return refuse(400, "invalid secret manager: " + manager);
    if (!config::secret_name(place.id)) return bad_id();
    draft.id = place.id;
    if (draft.value.is_object()) set_id(draft.value, place.id);
    return std::nullopt;
}

// The rules about ids and names, section 4 of the specification's admin-api.md.
std::optional<Reply> ObjectCalls::name_draft(const Call& call, Draft& draft) const {
    const Place& place = call.place;
    Value& value = draft.value;
    if (is_secret(place)) return name_secret(place, draft);
    if (place.resource->kind == Kind::plugin_metadata) {
        if (place.id.empty()) return missing_id(place);
        draft.id = place.id;
        return std::nullopt;
    }
    const bool consumer = place.resource->kind == Kind::consumer && !is_credential(place);
    const std::string own = sources::reference_of(value, consumer ? "username" : "id");
    const bool differ = !place.id.empty() && value.find(consumer ? "username" : "id") && own != place.id;
    if (differ) return refuse(400, consumer ? "wrong username" : about("wrong ", place, " id"));
    draft.id = place.id.empty() ? own : place.id;
    if (consumer) return std::nullopt;
    if (draft.id.empty() && !value.find("id")) return missing_id(place);
    if (!place.id.empty() && value.is_object()) set_id(value, place.id);
    return std::nullopt;
}

ObjectCalls::Answer ObjectCalls::put(Call call) {
    const Place& place = call.place;
    Draft draft;
    if (auto refusal = read_body(call, "missing configurations", draft.value)) co_return *refusal;
    if (is_credential(place) && !objects_.find(Kind::consumer, place.user)) co_return refuse(404, "consumer not found");
    if (auto refusal = name_draft(call, draft)) co_return *refusal;
    if (std::string text = forbidden_times(draft.value); !text.empty()) co_return refuse(400, text);
    draft.before = objects_.find(*place.resource->kind, place.stored_id(draft.id));
    if (auto refusal = expect_version(call, draft.before, draft.expected)) co_return *refusal;
    if (call.request->field("If-Match")) draft.lost = "";
    if (place.resource->kind != Kind::plugin_metadata) set_times(draft.value, draft.before.get());
    Reply reply = co_await write(call, std::move(draft));
    co_return reply;
}

void ObjectCalls::generate_id(Draft& draft) {
    last_generated_ = std::max(last_generated_, objects_.store_revision()) + 1;
    draft.id = generated_id(last_generated_);
    if (draft.value.is_object()) set_id(draft.value, draft.id);
    ++draft.generated;
}

ObjectCalls::Answer ObjectCalls::post(Call call) {
    const Place& place = call.place;
    Draft draft;
    if (auto refusal = read_body(call, "missing configurations", draft.value)) co_return *refusal;
    if (!place.id.empty() || draft.value.find("id"))
        co_return refuse(400, about("wrong ", place, " id, do not need it"));
    if (std::string text = forbidden_times(draft.value); !text.empty()) co_return refuse(400, text);
    generate_id(draft);
    set_times(draft.value, nullptr);
    draft.action = "create";
    Reply reply = co_await write(call, std::move(draft));
    co_return reply;
}

ObjectCalls::Answer ObjectCalls::patch(Call call) {
    const Place& place = call.place;
    const Kind kind = *place.resource->kind;
    Value body;
    if (!has_id(place)) co_return missing_id(place);
    if (auto refusal = read_body(call, "missing new configuration", body)) co_return *refusal;
    if (call.path.empty() && !body.is_object()) co_return refuse(400, "invalid configuration");
    Draft draft;
    draft.id = place.id;
    draft.before = objects_.find(kind, place.stored_id(place.id));
    if (!draft.before) co_return key_not_found();
    if (auto refusal = expect_version(call, draft.before, draft.expected)) co_return *refusal;
    if (call.request->field("If-Match")) draft.lost = "";
    draft.expected = draft.before->modified;
    draft.action = "compareAndSwap";
    draft.value = json::parse(draft.before->json, {.positions = false});
    open_secrets(kind, draft.before->id, draft.value, ring_for(kind).get());
    bool timed = body.is_object() && call.path.empty() && body.find("update_time");
    if (call.path.empty()) {
        merge(draft.value, body);
    } else if (replace_at(draft.value, call.path, body)) {
        timed = call.path.size() == 1 && call.path[0] == "update_time";
    } else {
        std::string path;
        for (const std::string& name : call.path) path += "/" + name;
        co_return refuse(400, "invalid sub-path: " + path);
    }
    if (auto refusal = name_draft(call, draft)) co_return *refusal;
    touch_times(draft.value, *draft.before, timed);
    Reply reply = co_await write(call, std::move(draft));
    co_return reply;
}

ObjectCalls::Answer ObjectCalls::write(const Call& call, Draft draft) {
    const Place& place = call.place;
    const Kind kind = *place.resource->kind;
    store::Edit edit;
    edit.kind = kind;
    edit.id = place.stored_id(draft.id);
    if (auto refusal = owned(place, draft.id)) co_return *refusal;
    const bool changes = draft.before && call.method == Method::patch;
    if (auto refusal = read_ttl(*call.target, changes ? draft.before->expires_ms : 0, edit.expires_ms))
        co_return *refusal;
    edit.keeps_end = changes && !call.target->parameter("ttl");
    const auto ring = ring_for(kind);
    open_secrets(kind, edit.id, draft.value, ring.get());
    if (is_credential(place) && draft.value.is_object()) {
        if (!config::credential_name(edit.id)) co_return bad_id();
        draft.value.set("id", edit.id);
    }
    std::string refusal = write_refusal(kind, edit.id, draft.value, objects_);
    if (!refusal.empty()) co_return refuse(400, refusal);
    edit.json = json::write(draft.value);
    edit.expected = draft.generated ? std::optional<std::uint64_t>(0) : draft.expected;
    std::vector<store::Edit> edits;
    edits.push_back(std::move(edit));
    store::Author author = call.author;
    const store::Written written = co_await objects_.write(std::move(edits), std::move(author));
    const bool taken = written.status == store::WriteStatus::conflict && draft.generated > 0;
    if (!taken || draft.generated > most_generated) co_return answer_of(call, draft, written);
    generate_id(draft);
    Reply reply = co_await write(call, std::move(draft));
    co_return reply;
}

Reply ObjectCalls::answer_of(const Call& call, const Draft& draft, const store::Written& written) const {
    if (written.status != store::WriteStatus::ok || written.objects.empty()) return refused_write(written, draft.lost);
    const store::Stored& object = *written.objects.front();
    const bool fresh = object.created == object.modified && call.method != Method::patch;
    const Shown shown{call.place.key(draft.id), shown_value(call.place, object, false), object.created,
                      object.modified};
    Reply reply = call.envelope.written(fresh ? 201 : 200, shown, draft.action);
    tell_lagging(written, reply);
    return reply;
}

ObjectCalls::Answer ObjectCalls::remove(Call call) {
    const Place& place = call.place;
    const Kind kind = *place.resource->kind;
    if (!has_id(place)) co_return missing_id(place);
    const std::string id = place.stored_id(place.id);
    if (is_credential(place) && !objects_.find(Kind::consumer, place.user)) co_return refuse(404, "consumer not found");
    const std::string* force = call.target->parameter("force");
    if (!is_credential(place) && !(force && *force == "true")) {
        std::string user = still_used(kind, id, objects_);
        if (!user.empty()) co_return refuse(400, user);
    }
    const store::StoredPtr before = objects_.find(kind, id);
    if (!before) co_return key_not_found();
    if (auto refusal = owned(place, place.id)) co_return *refusal;
    std::optional<std::uint64_t> expected;
    if (auto refusal = expect_version(call, before, expected)) co_return *refusal;
    std::vector<store::Edit> edits;
    edits.push_back({kind, id, std::nullopt, expected, 0});
    store::Author author = call.author;
    const store::Written written = co_await objects_.write(std::move(edits), std::move(author));
    if (written.status != store::WriteStatus::ok) co_return refused_write(written, "");
    Reply reply = call.envelope.deleted(place.key(place.id));
    tell_lagging(written, reply);
    co_return reply;
}

}  // namespace gateway::admin
