#include "libgateway/admin/bulk.hpp"

#include <set>

#include "libgateway/admin/draft.hpp"
#include "libgateway/admin/object_calls.hpp"
#include "libgateway/admin/object_check.hpp"
#include "libgateway/admin/resource.hpp"
#include "libgateway/admin/secret_fields.hpp"
#include "libgateway/config/consumer_objects.hpp"
#include "libgateway/sources/document_reader.hpp"

namespace gateway::admin {

namespace asio = boost::asio;
using config::Kind;
using json::Value;

namespace {

constexpr std::string_view version_suffix = "_conf_version";

class BulkReader {
public:
    BulkReader(const sources::CheckRules& rules, KeyringView ring) : rules_(rules), ring_(ring) {}

    BulkDocument read(const Value& document) {
        if (!document.is_object()) {
            out_.malformed = "invalid configuration: wrong type: expected object";
            return std::move(out_);
        }
        for (const json::Member& member : document.members()) read_list(member.key, member.value);
        return std::move(out_);
    }

private:
    void read_list(const std::string& name, const Value& list) {
        if (std::string_view(name).ends_with(version_suffix)) return;
        const Resource* resource = find_resource(name);
        if (!resource || !(list.is_array() || list.size() == 0)) {
            const std::string why = resource ? "wrong type: expected array" : "unknown resource type";
            return out_.errors.push_back({name, "", 0, why});
        }
        if (!resource->kind && list.size() > 0)
            return out_.errors.push_back({name, "", 0, "not supported by this build"});
        for (std::size_t at = 0; at < list.items().size(); ++at) read_item(*resource, at, list.items()[at]);
    }

    void read_item(const Resource& resource, std::size_t at, Value item) {
        const Kind kind = *resource.kind;
        const bool by_name = kind == Kind::consumer && item.find("username");
        std::string id = sources::reference_of(item, by_name ? "username" : "id");
        sources::normalise_item(kind, item);
        open_secrets(kind, id, item, ring_);
        const std::string refusal = refusal_of(kind, id, item);
        if (!refusal.empty()) return out_.errors.push_back({std::string(resource.list), id, at, refusal});
        out_.items.push_back({kind, std::move(id), std::move(item)});
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

    const sources::CheckRules& rules_;
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

BulkDocument read_bulk(const Value& document, const sources::CheckRules& rules, KeyringView ring) {
    return BulkReader(rules, ring).read(document);
}

asio::awaitable<Reply> answer_bulk(Objects& objects, const Request& request, const Target& target,
                                   const std::vector<std::string>& segments, store::Author author) {
    const bool check_only = segments.size() == 2 && segments[1] == "validate" && request.method == "POST";
    const bool put = segments.size() == 1 && request.method == "PUT";
    if (!check_only && !put) co_return refuse(404, "not found");
    Value body;
    if (request.body.empty()) co_return refuse(400, "invalid request body: empty request body");
    if (auto refusal = parse_body(request.body, body)) co_return *refusal;
    const auto ring = objects.keyring();
    BulkDocument document = read_bulk(body, objects.rules(), ring.get());
    if (!document.malformed.empty()) co_return refuse(400, document.malformed);
    if (!document.errors.empty()) co_return errors_reply(document.errors);
    if (check_only) co_return json_reply(200, "{}");
    if (std::string why = objects.closed(); !why.empty()) co_return refuse(503, why);
    const std::string* parameter = target.parameter("prune");
    const bool pruned = parameter && *parameter == "true";
    Reply reply = co_await apply(objects, std::move(document), pruned, std::move(author));
    co_return reply;
}

}  // namespace gateway::admin
