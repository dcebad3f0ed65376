// A request to one of the interfaces of control and its answer, free of sockets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::admin {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method, target, body;
    Fields fields;
    std::string peer;  // address without port

    // The first field of that name, in any case; nullptr if there is none.
    const std::string* field(std::string_view name) const noexcept;
};

struct Reply {
    unsigned status = 200;
    std::string body = {};
    std::string content_type = "application/json";
    Fields fields = {};
    std::shared_ptr<const std::string> shared = nullptr;  // instead of `body`: a text that several answers share

    std::string_view text() const noexcept { return shared ? std::string_view(*shared) : std::string_view(body); }
};

bool has_field(const Reply& reply, std::string_view name) noexcept;

// `{"error_msg":"…"}`, as every refusal of the Admin API is told.
Reply refuse(unsigned status, std::string_view text);
// A JSON text; a line end is added.
Reply json_reply(unsigned status, std::string text);
Reply text_reply(unsigned status, std::string text);
// The built-in page of that status.
Reply page(unsigned status, std::string_view token);

// Text that may stand in a JSON answer: what is no UTF-8 becomes U+FFFD.
std::string well_formed(std::string_view bytes);

}  // namespace gateway::admin
