#include "libgateway/http/target.hpp"

#include <boost/beast/http/verb.hpp>

#include "libgateway/http/host.hpp"

namespace gateway::http {

namespace {

// Length of "http://" or "https://" at the front, else 0.
std::size_t scheme_length(std::string_view target) noexcept {
    if (target.size() >= 7 && iequals(target.substr(0, 7), "http://")) return 7;
    if (target.size() >= 8 && iequals(target.substr(0, 8), "https://")) return 8;
    return 0;
}

std::string_view split_path(std::string_view rest, RequestHead& head) noexcept {
    const std::size_t hash = rest.find('#');
    const std::size_t mark = rest.substr(0, hash).find('?');
    if (hash != std::string_view::npos && mark == std::string_view::npos &&
        rest.find_first_of("/\\%", hash) != std::string_view::npos) {
        // An upstream that does not know fragments would see further path segments in it.
        return "path after a fragment mark";
    }
    rest = rest.substr(0, hash);
    head.has_query = mark != std::string_view::npos;
    head.query = head.has_query ? rest.substr(mark + 1) : std::string_view();
    head.raw_path = rest.substr(0, mark);
    return {};
}

std::string_view split_absolute(std::size_t scheme, RequestHead& head) noexcept {
    const std::string_view rest = head.target.substr(scheme);
    const std::size_t end = rest.find_first_of("/?#");
    head.authority = rest.substr(0, end);
    if (!valid_authority(head.authority)) return "invalid authority in the request target";
    const auto reason = split_path(end == std::string_view::npos ? std::string_view() : rest.substr(end), head);
    if (head.raw_path.empty()) head.raw_path = "/";
    return reason;
}

}  // namespace

std::string_view split_target(RequestHead& head) noexcept {
    head.has_query = false;
    head.query = head.authority = {};
    if (head.method == Verb::connect) {
        const bool has_port = head.target.find_last_of(':') != std::string_view::npos && is_digit(head.target.back());
        if (!has_port || !valid_authority(head.target)) return "CONNECT without an authority";
        head.authority = head.target;
        head.raw_path = "*";
        return {};
    }
    if (head.target.front() == '/') return split_path(head.target, head);
    if (head.target == "*") {
        head.raw_path = "*";
        return head.method == Verb::options ? std::string_view() : "asterisk form without OPTIONS";
    }
    if (const std::size_t scheme = scheme_length(head.target)) return split_absolute(scheme, head);
    return "invalid request target";
}

}  // namespace gateway::http
