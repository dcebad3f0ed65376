#include "libgateway/admin/message.hpp"

#include "libgateway/base/arena.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/base/utf8.hpp"
#include "libgateway/http/local_reply.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::admin {

const std::string* Request::field(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields) {
        if (iequals(key, name)) return &value;
    }
    return nullptr;
}

bool has_field(const Reply& reply, std::string_view name) noexcept {
    for (const auto& [key, value] : reply.fields) {
        if (iequals(key, name)) return true;
    }
    return false;
}

std::string well_formed(std::string_view bytes) {
    std::string text;
    while (!bytes.empty()) {
        const std::size_t size = utf8_length(bytes);
        text += size ? bytes.substr(0, size) : std::string_view("\xEF\xBF\xBD");
        bytes.remove_prefix(size ? size : 1);
    }
    return text;
}

Reply json_reply(unsigned status, std::string text) {
    Reply reply;
    reply.status = status;
    reply.body = std::move(text);
    reply.body += '\n';
    return reply;
}

Reply text_reply(unsigned status, std::string text) {
    Reply reply;
    reply.status = status;
    reply.body = std::move(text);
    reply.content_type = "text/plain; charset=utf-8";
    return reply;
}

Reply refuse(unsigned status, std::string_view text) {
    return json_reply(status, json::write(json::Value::object({{"error_msg", json::Value(well_formed(text))}})));
}

Reply page(unsigned status, std::string_view token) {
    Arena arena;
    Reply reply;
    reply.status = status;
    reply.body = http::make_page(status, token, arena);
    reply.content_type = "text/html; charset=utf-8";
    return reply;
}

}  // namespace gateway::admin
