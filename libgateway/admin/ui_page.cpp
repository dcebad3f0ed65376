#include "libgateway/admin/ui_page.hpp"

#include <array>
#include <string>

namespace gateway::admin {

namespace {

// Nothing but what this gateway serves itself; no inline script or style, no frame, no form that leaves the page.
constexpr std::string_view content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

std::string_view type_of(std::string_view name) noexcept {
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    return "text/html; charset=utf-8";
}

const UiFile* find_file(std::string_view name) noexcept {
    for (const UiFile& file : ui_files()) {
        if (file.name == name) return &file;
    }
    return nullptr;
}

// RFC 9110, 13.1.2: a list of tags, or `*`; a weak one counts as well.
bool has_tag(std::string_view list, std::string_view tag) noexcept {
    return list == "*" || list.find(tag) != std::string_view::npos;
}

Reply moved() {
    Reply reply;
    reply.status = 301;
    reply.fields = {{"Location", "/ui/"}};
    return reply;
}

}  // namespace

Reply ui_page(const Request& request, const Target& target, std::string_view page_token) {
    if (request.method != "GET" && request.method != "HEAD") return page(405, page_token);
    const std::string_view path = target.path();
    if (path == "/ui") return moved();
    const UiFile* file = find_file(path == "/ui/" ? "index.html" : path.substr(4));
    if (!file) return page(404, page_token);
    Reply reply;
    reply.fields = {{"ETag", std::string(file->etag)},
                    {"Cache-Control", "no-cache"},
                    {"Content-Security-Policy", std::string(content_policy)},
                    {"X-Content-Type-Options", "nosniff"},
                    {"X-Frame-Options", "DENY"},
                    {"Referrer-Policy", "no-referrer"}};
    reply.content_type = type_of(file->name);
    const std::string* known = request.field("If-None-Match");
    if (known && has_tag(*known, file->etag))
        reply.status = 304;
    else
        reply.body = file->text;
    return reply;
}

}  // namespace gateway::admin
