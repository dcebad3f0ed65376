#include <algorithm>

#include "libgateway/base/strings.hpp"
#include "libgateway/client/client.hpp"

namespace gateway::client {
namespace {

bool is_clean(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 127; });
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
    Url url;
    const std::string scheme = to_lower(text.substr(0, text.find("://")));
    if ((scheme != "http" && scheme != "https") || !is_clean(text)) return std::nullopt;
    url.tls = scheme == "https";
    url.port = url.tls ? 443 : 80;
    text.remove_prefix(scheme.size() + 3);
    text = text.substr(0, text.find('#'));
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    std::string_view place = text.substr(0, end);
    const std::string_view rest = text.substr(end);
    url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
    if (place.find('@') != std::string_view::npos) return std::nullopt;
    url.authority = place;
    const std::size_t bracket = place.starts_with('[') ? place.find(']') : 0;
    if (bracket == std::string_view::npos) return std::nullopt;
    if (const std::size_t colon = place.find(':', bracket); colon != std::string_view::npos) {
        const auto port = parse_decimal<std::uint16_t>(place.substr(colon + 1));
        if (!port || *port == 0) return std::nullopt;
        url.port = *port;
        place = place.substr(0, colon);
    }
    if (bracket > 0 && place.size() != bracket + 1) return std::nullopt;
    url.host = bracket > 0 ? place.substr(1, bracket - 1) : place;
    if (url.host.empty()) return std::nullopt;
    return url;
}

std::string_view name_of(Failure failure) noexcept {
    switch (failure) {
        case Failure::none:
            return "no failure";
        case Failure::unresolved:
            return "the name cannot be resolved";
        case Failure::connect_refused:
            return "connection refused";
        case Failure::connect_timeout:
            return "time-out while connecting";
        case Failure::tls_failed:
            return "TLS handshake failed";
        case Failure::send_failed:
            return "connection lost while sending";
        case Failure::send_timeout:
            return "time-out while sending";
        case Failure::read_timeout:
            return "time-out while reading";
        case Failure::closed:
            return "connection closed before the answer ended";
        case Failure::invalid:
            return "the answer is not HTTP";
        case Failure::too_large:
            return "the answer's body is too large";
        case Failure::invalid_characters:
            return "invalid characters found in header value";
        case Failure::cancelled:
            return "given up";
    }
    return "unknown failure";
}

std::string describe(const Answer& answer) {
    std::string text(name_of(answer.failure));
    return answer.cause.category() == net::tls_category() ? text + ": " + answer.cause.message() : text;
}

}  // namespace gateway::client
