#include "libgateway/admin/standalone.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "libgateway/admin/bulk.hpp"
#include "libgateway/admin/object_calls.hpp"
#include "libgateway/config/yaml_writer.hpp"

namespace gateway::admin {

namespace asio = boost::asio;
using json::Value;

namespace {

constexpr std::array<std::string_view, 13> lists{
    "routes", "services", "upstreams", "consumers",     "consumer_groups", "plugin_configs", "global_rules",
    "ssls",   "protos",   "secrets",   "stream_routes", "plugin_metadata", "plugins"};
constexpr std::string_view digest_name = "X-Digest", modified_name = "X-Last-Modified",
                           version_suffix = "_conf_version";
constexpr unsigned most_races = 16;  // others came first that often: give up

std::string version_name(std::string_view list) {
    return std::string(list).append(version_suffix);
}

// Versions only grow; whole numbers of any reasonable size.
std::int64_t version_of(const Value* configuration, const std::string& name) {
    const Value* version = configuration ? configuration->find(name) : nullptr;
    return version ? version->as_int64().value_or(0) : 0;
}

// What one list becomes, written into `next`; a refusal, or nothing.
std::string take_list(std::string_view list, const Value* current, const Value& body, Value& next) {
    const std::string name = version_name(list);
    const std::int64_t now = version_of(current, name);
    std::int64_t wanted = now + 1;
    if (const Value* given = body.find(name)) {
        if (!given->is_number()) return name + " must be a number";
        const auto number = given->as_int64();
        if (!number || *number >= INT64_MAX) return name + " must be a whole number that can be counted up";
        if (*number < now) return name + " must be greater than or equal to (" + std::to_string(now) + ")";
        wanted = *number;
    }
    const Value* items = wanted == now ? (current ? current->find(list) : nullptr) : body.find(list);
    if (items && items->size() > 0) next.set(list, *items);
    next.set(name, Value(wanted));
    return {};
}

bool wants_yaml(const Request& request) {
    const std::string* accept = request.field("Accept");
    return accept && accept->find("application/yaml") != std::string::npos;
}

void tell_version(const Value& configuration, Reply& reply) {
    for (const std::string_view name : {modified_name, digest_name}) {
        const Value* found = configuration.find(name);
        if (found) reply.fields.emplace_back(name, found->is_string() ? found->string() : found->number());
    }
}

Reply show(const Configuration& current, const Request& request) {
    Value fresh = Value::object();
    if (!current) {
        for (const std::string_view list : lists) fresh.set(version_name(list), Value(0));
    }
    const Value& shown = current ? *current : fresh;
    Reply reply = json_reply(200, wants_yaml(request) ? std::string() : json::write(shown));
    if (wants_yaml(request)) {
        reply.body = config::write_yaml(shown);
        reply.content_type = "application/yaml";
    }
    tell_version(shown, reply);
    return reply;
}

// The first mistake, with its place.
std::string first_refusal(const BulkDocument& document) {
    if (!document.malformed.empty()) return document.malformed;
    if (document.errors.empty()) return {};
    const BulkError& error = document.errors.front();
    if (error.about == BulkError::About::document) return error.text;
    std::string text = "invalid " + error.list;
    if (error.about == BulkError::About::item) text += " at index " + std::to_string(error.index);
    return text.append(", err: ").append(error.text);
}

}  // namespace

bool is_about_lists(std::string_view member) noexcept {
    return member == digest_name || member == modified_name || member.ends_with(version_suffix);
}

NextConfiguration next_configuration(const Value* current, const Value& body, std::string_view digest,
                                     std::int64_t seconds) {
    NextConfiguration next{Value::object(), {}};
    if (!body.is_object()) return {{}, "invalid request body: expected an object of lists"};
    for (const std::string_view list : lists) {
        next.refusal = take_list(list, current, body, next.value);
        if (!next.refusal.empty()) return next;
    }
    next.value.set(modified_name, Value(seconds));
    next.value.set(digest_name, Value(digest));
    return next;
}

asio::awaitable<Reply> answer_standalone(Objects& objects, WholeConfiguration& whole, const Request& request,
                                         store::Author author) {
    if (request.method != "PUT") co_return show(whole.current(), request);
    const std::string* digest = request.field(digest_name);
    if (!digest || digest->empty()) co_return refuse(400, "missing digest header");
    Value body;
    bool checked = false;
    for (unsigned race = 0; race < most_races; ++race) {
        const Configuration current = whole.current();
        const Value* known = current ? current->find(digest_name) : nullptr;
        if (known && known->string() == *digest) {
            Reply same;
            same.status = 204;
            co_return same;
        }
        if (auto refusal = checked ? std::nullopt : read_document(request, body)) co_return *refusal;
        NextConfiguration next = next_configuration(current.get(), body, *digest, std::time(nullptr));
        if (next.refusal.empty() && !checked)
            next.refusal = first_refusal(read_bulk(body, objects.rules(), objects.keyring().get()));
        if (!next.refusal.empty()) co_return refuse(400, next.refusal);
        checked = true;
        if (std::string why = objects.closed(); !why.empty()) co_return refuse(503, why);
        const Configuration made = std::make_shared<const Value>(std::move(next.value));
        const store::Written written = co_await whole.replace(made, current, author);
        if (written.status == store::WriteStatus::conflict) continue;
        if (written.status != store::WriteStatus::ok) co_return refused_write(written, "");
        Reply reply;
        reply.status = 202;
        tell_version(*made, reply);
        tell_lagging(written, reply);
        co_return reply;
    }
    co_return refuse(503, "value changed before overwritten");
}

}  // namespace gateway::admin
