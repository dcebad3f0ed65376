#include "tests/support/demo_upstream/request.hpp"

#include <charconv>

#include "libgateway/base/strings.hpp"

namespace gateway::demo {
namespace {

bool parse_head(std::string_view head, Request& request) {
    const auto line_end = head.find("\r\n");
    const auto line = head.substr(0, line_end);
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || last == first) return false;
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, last - first - 1);
    request.keep_alive = !line.ends_with("HTTP/1.0");
    request.fields.clear();
    head.remove_prefix(line_end + 2);
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        const auto field = head.substr(0, end);
        const auto colon = field.find(':');
        if (colon == std::string_view::npos) return false;
        request.fields.emplace_back(field.substr(0, colon), trim(field.substr(colon + 1)));
        head.remove_prefix(end + 2);
    }
    const auto connection = request.field("connection");
    if (iequals(connection, "close")) request.keep_alive = false;
    if (iequals(connection, "keep-alive")) request.keep_alive = true;
    return true;
}

ReadState read_chunks(std::string_view bytes, Request& request, std::size_t& used) {
    std::size_t at = used;
    for (;;) {
        const auto line_end = bytes.find("\r\n", at);
        if (line_end == std::string_view::npos) return ReadState::incomplete;
        std::size_t size = 0;
        const auto [end, error] = std::from_chars(bytes.data() + at, bytes.data() + line_end, size, 16);
        if (error != std::errc() || end == bytes.data() + at) return ReadState::broken;
        at = line_end + 2;
        if (size == 0) break;
        if (bytes.size() - at < size + 2) return ReadState::incomplete;
        request.body.append(bytes.substr(at, size));
        at += size + 2;
    }
    const auto trailers = bytes.substr(at - 2);
    const auto end = trailers.find("\r\n\r\n");
    if (end == std::string_view::npos) return ReadState::incomplete;
    used = at - 2 + end + 4;
    return ReadState::complete;
}

}  // namespace

std::string_view Request::query() const {
    const auto mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::string_view Request::field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (iequals(key, name)) return value;
    }
    return {};
}

ReadState read_request(std::string_view bytes, Request& request, std::size_t& used, bool& wants_continue) {
    const auto head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return ReadState::incomplete;
    if (!parse_head(bytes.substr(0, head_end + 2), request)) return ReadState::broken;
    used = head_end + 4;
    request.body.clear();
    wants_continue = !request.field("expect").empty();
    if (!request.field("transfer-encoding").empty()) return read_chunks(bytes, request, used);
    const auto length = request.field("content-length");
    if (length.empty()) return ReadState::complete;
    const auto size = parse_decimal<std::size_t>(length);
    if (!size) return ReadState::broken;
    if (bytes.size() - used < *size) return ReadState::incomplete;
    request.body = bytes.substr(used, *size);
    used += *size;
    return ReadState::complete;
}

}  // namespace gateway::demo
