#include "libgateway/proxy/client_address.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace gateway::proxy {

namespace {

struct Hop {
    expr::Address address;
    std::uint16_t port = 0;
};

// "10.0.0.1", "10.0.0.1:80", "2001:db8::1", "[2001:db8::1]:80".
std::optional<Hop> parse_hop(std::string_view text) noexcept {
    std::string_view host = text, port;
    if (!text.empty() && text.front() == '[') {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        const std::string_view rest = text.substr(end + 1);
        if (!rest.empty() && rest.front() != ':') return std::nullopt;
        if (!rest.empty()) port = rest.substr(1);
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    const auto address = expr::parse_address(host);
    if (!address) return std::nullopt;
    Hop hop{*address, 0};
    if (!port.empty()) {
        const auto number = parse_decimal<std::uint16_t>(port);
        if (!number) return std::nullopt;
        hop.port = *number;
    }
    return hop;
}

// The last address of the list, or with `recursive` the last that is not a trusted one itself.
std::optional<Hop> from_list(std::string_view list, const Settings& settings) noexcept {
    std::optional<Hop> found;
    while (!list.empty()) {
        const std::size_t comma = list.rfind(',');
        const std::string_view item = trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
        list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
        if (item.empty()) continue;
        const auto hop = parse_hop(item);
        if (!hop) return found;
        found = hop;
        if (!settings.real_ip_recursive || !settings.real_ip_from.contains(hop->address)) return found;
    }
    return found;
}

std::optional<Hop> told_by_peer(const ProxyExchange& exchange) noexcept {
    const Settings& settings = *exchange.settings;
    if (iequals(settings.real_ip_header, "proxy_protocol")) {
        const ProxiedAddress* proxied = exchange.session->proxied();
        if (!proxied || !proxied->known) return std::nullopt;
        return Hop{proxied->source, proxied->source_port};
    }
    // Several lines of one name are one list; the last line is its end.
    std::string_view last;
    for (const http::Field& field : exchange.request.fields) {
        if (iequals(field.name, settings.real_ip_header)) last = field.value;
    }
    return from_list(last, settings);
}

// The digits of a byte, with the dot behind them.
struct ByteText {
    std::array<char, 4> text;
    std::uint8_t size;
};

constexpr std::array<ByteText, 256> make_byte_texts() noexcept {
    std::array<ByteText, 256> all{};
    for (unsigned byte = 0; byte < all.size(); ++byte) {
        ByteText& made = all[byte];
        if (byte >= 100) made.text[made.size++] = static_cast<char>('0' + byte / 100);
        if (byte >= 10) made.text[made.size++] = static_cast<char>('0' + byte / 10 % 10);
        made.text[made.size++] = static_cast<char>('0' + byte % 10);
        made.text[made.size++] = '.';
    }
    return all;
}
constexpr std::array<ByteText, 256> byte_texts = make_byte_texts();

}  // namespace

std::string_view address_text(const expr::Address& address, Arena& arena) {
    if (!address.is_v4()) {
        in6_addr bytes;
        for (unsigned i = 0; i < 8; ++i) {
            bytes.s6_addr[i] = static_cast<unsigned char>(address.high() >> (56 - 8 * i));
            bytes.s6_addr[8 + i] = static_cast<unsigned char>(address.low() >> (56 - 8 * i));
        }
        char* text = arena.chars(INET6_ADDRSTRLEN);
        return ::inet_ntop(AF_INET6, &bytes, text, INET6_ADDRSTRLEN) ? std::string_view(text) : std::string_view();
    }
    char* text = arena.chars(16);
    char* at = text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        const ByteText& byte = byte_texts[address.low() >> shift & 0xff];
        std::memcpy(at, byte.text.data(), byte.text.size());
        at += byte.size;
    }
    return {text, static_cast<std::size_t>(at - text) - 1};  // without the last dot
}

void find_client(ProxyExchange& exchange) {
    const Session& session = *exchange.session;
    const Settings& settings = *exchange.settings;
    exchange.client = session.peer();
    exchange.client_port = session.peer_port();
    exchange.peer_text = exchange.client_text = address_text(session.peer(), exchange.arena());
    if (!settings.real_ip_from.contains(session.peer())) return;
    const auto hop = told_by_peer(exchange);
    if (!hop) return;
    exchange.client = hop->address;
    exchange.client_port = hop->port ? hop->port : exchange.client_port;
    exchange.client_text = address_text(hop->address, exchange.arena());
}

}  // namespace gateway::proxy
