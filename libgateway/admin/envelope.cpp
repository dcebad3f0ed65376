#include "libgateway/admin/envelope.hpp"

#include "libgateway/json/value.hpp"

namespace gateway::admin {

namespace {

void append_key(std::string& out, std::string_view key) {
    out += "{\"key\":";
    json::append_quoted(out, key);
}

// Without the closing brace.
void append_pair(std::string& out, const Shown& object) {
    append_key(out, object.key);
    out.append(",\"value\":").append(object.value);
}

void append_object(std::string& out, const Shown& object) {
    append_pair(out, object);
    out.append(",\"createdIndex\":").append(std::to_string(object.created));
    out.append(",\"modifiedIndex\":").append(std::to_string(object.modified)).append("}");
}

std::string array_of(std::span<const Shown> objects) {
    std::string out = "[";
    for (const Shown& object : objects) {
        if (out.size() > 1) out += ',';
        append_object(out, object);
    }
    return out += ']';
}

}  // namespace

Reply Envelope::reply(unsigned status, std::string text) const {
    Reply reply = json_reply(status, std::move(text));
    mark(reply);
    return reply;
}

void Envelope::mark(Reply& reply) const {
    if (!has_field(reply, "X-API-VERSION"))
        reply.fields.emplace_back("X-API-VERSION", version_ == Version::v3 ? "v3" : "v2");
}

Reply Envelope::one(const Shown& object) const {
    std::string text = version_ == Version::v3 ? "" : "{\"node\":";
    append_object(text, object);
    if (version_ == Version::v2) text += ",\"action\":\"get\"}";
    return reply(200, std::move(text));
}

Reply Envelope::list(std::string_view key, std::span<const Shown> objects, std::size_t total) const {
    if (version_ == Version::v3)
        return reply(200, "{\"total\":" + std::to_string(total) + ",\"list\":" + array_of(objects) + "}");
    std::string text = "{\"node\":{\"dir\":true,\"key\":";
    json::append_quoted(text, key);
    text.append(",\"nodes\":").append(array_of(objects)).append("},\"action\":\"get\",\"count\":");
    return reply(200, text + std::to_string(total) + "}");
}

Reply Envelope::written(unsigned status, const Shown& object, std::string_view action) const {
    std::string text = version_ == Version::v3 ? "" : "{\"node\":";
    append_pair(text, object);
    text += '}';
    if (version_ == Version::v2) text.append(",\"action\":\"").append(action).append("\"}");
    return reply(status, std::move(text));
}

Reply Envelope::deleted(std::string_view key) const {
    std::string text =
        version_ == Version::v3 ? "{\"deleted\":\"1\",\"key\":" : "{\"deleted\":\"1\",\"node\":{\"key\":";
    json::append_quoted(text, key);
    text += version_ == Version::v3 ? "}" : "},\"action\":\"delete\"}";
    return reply(200, std::move(text));
}

}  // namespace gateway::admin
