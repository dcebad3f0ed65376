#include "libgateway/admin/bulk.hpp"

#include <set>

#include "libgateway/admin/draft.hpp"
#include "libgateway/admin/object_calls.hpp"
#include "libgateway/admin/object_check.hpp"
#include "libgateway/admin/resource.hpp"
#include "libgateway/admin/secret_fields.hpp"
#include "libgateway/admin/standalone.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/config/yaml_reader.hpp"
#include "libgateway/sources/document_reader.hpp"

namespace gateway::admin {

namespace asio = boost::asio;
using config::Kind;
using json::Value;

namespace {

class BulkReader {
public:
    BulkReader(const sources::CheckRules& rules, KeyringView ring) : rules_(rules), ring_(ring) {}

    BulkDocument read(const Value& document) {
        if (!document.is_object()) {
            out_.malformed = "invalid configuration: wrong type: expected object";
            return std::move(out_);
        }
        if (const Value* plugins = document.find(plugin_list)) read_plugins(*plugins);
        for (const json::Member& member : document.members()) {
            if (member.key.ends_with("_conf_version")) {
                check_version(member);
            } else if (!is_about_lists(member.key) && member.key != plugin_list) {
                read_list(member.key, member.value);
            }
        }
        return std::move(out_);
    }

private:
    using About = BulkError::About;
    static constexpr std::string_view plugin_list = "plugins";

    void check_version(const json::Member& member) {
        if (member.value.is_number()) return;
        std::string list = member.key.substr(0, member.key.rfind("_conf_version"));
        std::string text = member.key + " must be a number, got ";
        text += config::reference_type(member.value);
        out_.errors.push_back({std::move(list), "", 0, std::move(text), About::document});
    }

    // `[{name, stream}]`, in the place of the list of the static file.
    void read_plugins(const Value& list) {
        if (list.size() == 0) return;
        out_.names_plugins = true;
        std::vector<std::string> names;
        for (std::size_t at = 0; at < list.items().size(); ++at) {
            const Value& name = json::member(list.items()[at], "name");
            const Value& stream = json::member(list.items()[at], "stream");
            const bool wrong = !name.is_string() || name.string().empty();
            if (wrong) fail_item(plugin_list, "", at, "property \"name\" is required");
            if (!wrong && !stream.boolean()) names.push_back(name.string());
        }
        if (!list.is_array()) fail_list(plugin_list, "wrong type: expected array");
        rules_.enabled_plugins = std::move(names);
    }

    void fail_list(std::string_view list, std::string text) {
        out_.errors.push_back({std::string(list), "", 0, std::move(text), About::list});
    }
    void fail_item(std::string_view list, std::string id, std::size_t at, std::string text) {
        const bool says_all = text.starts_with("found duplicate ") || text.starts_with("invalid secret id: ");
        const About about = says_all ? About::document : About::item;
        out_.errors.push_back({std::string(list), std::move(id), at, std::move(text), about});
    }

    void read_list(const std::string& name, const Value& list) {
        const Resource* resource = find_resource(name);
        if (!resource) return fail_list(name, "unknown resource type");
        if (!list.is_array() && list.size() != 0) return fail_list(name, "wrong type: expected array");
        if (!resource->kind && list.size() > 0) return fail_list(name, "not supported by this build");
        for (std::size_t at = 0; at < list.items().size(); ++at) read_item(*resource, at, list.items()[at]);
    }

    void read_item(const Resource& resource, std::size_t at, Value item) {
        const Kind kind = *resource.kind;
        const bool by_name = kind == Kind::consumer && item.find("username");
        std::string id = sources::reference_of(item, by_name ? "username" : "id");
        std::string refusal = version_refusal(item);
        sources::normalise_item(kind, item);
        open_secrets(kind, id, item, ring_);
        if (refusal.empty()) refusal = refusal_of(kind, id, item);
        if (!refusal.empty()) return fail_item(resource.list, id, at, refusal);
        out_.items.push_back({kind, std::move(id), std::move(item)});
    }

    static std::string version_refusal(const Value& item) {
        const Value* version = item.find("modifiedIndex");
        if (!version || version->as_int64()) return {};
        return "property \"modifiedIndex\" validation failed: wrong type: expected integer, got " +
               std::string(config::reference_type(*version));
    }

    std::string refusal_of(Kind kind, const std::string& id, const Value& item) {
        std::string refusal = object_refusal(kind, id, item, rules_);
        if (!refusal.empty()) return refusal;
        if (id.empty()) return "property \"id\" is required";
        if (names_.emplace(kind, id).second) return {};
        const bool credential = kind == Kind::consumer && config::credential_name(id);
        if (kind == Kind::consumer && !credential) return "found duplicate username " + id + " in consumers";
        std::string text = credential ? "found duplicate credential id " : "found duplicate id ";
        return text.append(id).append(" in ").append(config::list_name(kind));
    }

    sources::CheckRules rules_;
    KeyringView ring_;
    std::set<std::pair<Kind, std::string>> names_;
    BulkDocument out_;
};

Reply errors_reply(const std::vector<BulkError>& errors) {
    Value list = Value::array();
    for (const BulkError& error : errors) {
        list.push(Value::object({{"resource_type", Value(error.list)},
                                 {"resource_id", Value(error.id)},
                                 {"index", error.index},
                                 {"error", Value(well_formed(error.text))}}));
    }
    return json_reply(
        400,
        json::write(Value::object({{"error_msg", "Configuration validation failed"}, {"errors", std::move(list)}})));
}

// Without what the gateway itself writes; the id is that of the key, in a long or a short form.
Value bare(Value value) {
    for (const std::string_view name : {"create_time", "update_time", "id"}) value.erase(name);
    return value;
}

// The edits that turn what is stored into what the document says.
struct BulkEdits {
    std::vector<store::Edit> list;
    std::size_t deleted = 0, unchanged = 0;
    std::string refusal;
};

void add_item(const Objects& objects, BulkItem& item, KeyringView ring, BulkEdits& edits) {
    const std::string where = objects.defined_at(item.kind, item.id);
    const store::StoredPtr before = objects.find(item.kind, item.id);
    const bool metadata = item.kind == Kind::plugin_metadata;
    if (before) {
        Value known = json::parse(before->json, {.positions = false});
        open_secrets(item.kind, item.id, known, ring);
        if (json::equal(bare(known), bare(item.value))) {
            ++edits.unchanged;
            return;
        }
    }
    if (!where.empty() && edits.refusal.empty())
        edits.refusal = std::string(config::kind_name(item.kind)) + " [" + item.id + "] is defined in " + where;
    if (!metadata) set_times(item.value, before.get());
    edits.list.push_back({item.kind, item.id, json::write(item.value), std::nullopt, 0});
}

void prune(const Objects& objects, const std::vector<BulkItem>& items, BulkEdits& edits) {
    std::set<std::pair<Kind, std::string_view>> named;
    for (const BulkItem& item : items) named.emplace(item.kind, item.id);
    for (const Resource& resource : resources()) {
        if (!resource.kind) continue;
        objects.each(*resource.kind, [&](const store::StoredPtr& object) {
            const bool kept = named.count({object->kind, std::string_view(object->id)}) > 0;
            if (kept || !objects.defined_at(object->kind, object->id).empty()) return true;
            edits.list.push_back({object->kind, object->id, std::nullopt, std::nullopt, 0});
            ++edits.deleted;
            return true;
        });
    }
}

asio::awaitable<Reply> apply(Objects& objects, BulkDocument document, bool pruned, store::Author author) {
    BulkEdits edits;
    const auto ring = objects.keyring();
    for (BulkItem& item : document.items) add_item(objects, item, ring.get(), edits);
    if (pruned) prune(objects, document.items, edits);
    if (!edits.refusal.empty()) co_return refuse(400, edits.refusal);
    const std::size_t applied = edits.list.size() - edits.deleted;
    store::Written written;
    written.revision = objects.revision();
    if (!edits.list.empty()) written = co_await objects.write(std::move(edits.list), std::move(author));
    if (written.status != store::WriteStatus::ok) co_return refused_write(written, "value changed before overwritten");
    Reply reply = json_reply(200, json::write(Value::object({{"revision", written.revision},
                                                             {"applied", applied},
                                                             {"deleted", edits.deleted},
                                                             {"unchanged", edits.unchanged}})));
    tell_lagging(written, reply);
    co_return reply;
}

}  // namespace

std::optional<Reply> read_document(const Request& request, Value& document) {
    if (request.body.empty()) return refuse(400, "invalid request body: empty request body");
    const std::string* type = request.field("Content-Type");
    if (!type || !type->starts_with("application/yaml")) return parse_body(request.body, document);
    json::ParseFailure why;
    auto parsed = config::try_read_yaml(request.body, why);
    if (!parsed || !(parsed->is_object() || parsed->is_array()))
        return refuse(400, "invalid request body: invalid yaml request body");
    document = std::move(*parsed);
    return std::nullopt;
}

BulkDocument read_bulk(const Value& document, const sources::CheckRules& rules, KeyringView ring) {
    return BulkReader(rules, ring).read(document);
}

asio::awaitable<Reply> answer_bulk(Objects& objects, const Request& request, const Target& target,
                                   const std::vector<std::string>& segments, store::Author author) {
    const bool check_only = segments.size() == 2 && segments[1] == "validate" && request.method == "POST";
    const bool put = segments.size() == 1 && request.method == "PUT";
    if (!check_only && !put) co_return refuse(404, "not found");
    Value body;
    if (auto refusal = read_document(request, body)) co_return *refusal;
    const auto ring = objects.keyring();
    BulkDocument document = read_bulk(body, objects.rules(), ring.get());
    if (!document.malformed.empty()) co_return refuse(400, document.malformed);
    if (!document.errors.empty()) co_return errors_reply(document.errors);
    if (check_only) co_return json_reply(200, "{}");
    if (document.names_plugins) co_return refuse(400, "plugins: the static file tells which plugins may run");
    if (std::string why = objects.closed(); !why.empty()) co_return refuse(503, why);
    const std::string* parameter = target.parameter("prune");
    const bool pruned = parameter && *parameter == "true";
    Reply reply = co_await apply(objects, std::move(document), pruned, std::move(author));
    co_return reply;
}

}  // namespace gateway::admin
