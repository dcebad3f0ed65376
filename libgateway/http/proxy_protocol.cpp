#include "libgateway/http/proxy_protocol.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <optional>

#include "libgateway/base/strings.hpp"

namespace gateway::http {

namespace {

constexpr std::string_view first_line = "PROXY ";
constexpr std::size_t longest_line = 107;  // with its end; the protocol's own bound for version 1
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t longest_binary = 4096;  // addresses and extensions of version 2; more is no honest balancer

ProxyHeaderResult failed() noexcept {
    return {ProxyHeaderState::failed, 0};
}

// The address in its usual spelling, nothing if it is none of that family.
std::optional<std::string> read_address(int family, std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> name{};
    std::array<unsigned char, 16> raw{};
    if (text.size() >= name.size()) return std::nullopt;
    std::memcpy(name.data(), text.data(), text.size());
    if (::inet_pton(family, name.data(), raw.data()) != 1) return std::nullopt;
    return std::string(::inet_ntop(family, raw.data(), name.data(), name.size()));
}

bool read_line(std::string_view line, ProxyHeader& header) {
    std::array<std::string_view, 5> words;
    std::size_t count = 0;
    for (;;) {
        const std::size_t blank = line.find(' ');
        if (count == words.size()) return false;
        words[count++] = line.substr(0, blank);
        if (blank == std::string_view::npos) break;
        line.remove_prefix(blank + 1);
    }
    if (count != words.size() || (words[0] != "TCP4" && words[0] != "TCP6")) return false;
    const int family = words[0] == "TCP4" ? AF_INET : AF_INET6;
    const auto source = read_address(family, words[1]);
    const auto destination = read_address(family, words[2]);
    const auto source_port = parse_decimal<std::uint16_t>(words[3]);
    const auto destination_port = parse_decimal<std::uint16_t>(words[4]);
    if (!source || !destination || !source_port || !destination_port) return false;
    header = {*source, *destination, *source_port, *destination_port};
    return true;
}

ProxyHeaderResult parse_text(std::string_view bytes, ProxyHeader& header) {
    const std::size_t end = bytes.substr(0, longest_line).find("\r\n");
    if (end == std::string_view::npos) {
        return bytes.size() >= longest_line ? failed() : ProxyHeaderResult{};
    }
    const std::string_view line = bytes.substr(first_line.size(), end - first_line.size());
    const bool unknown = line == "UNKNOWN" || line.substr(0, 8) == "UNKNOWN ";
    if (!unknown && !read_line(line, header)) return failed();
    return {ProxyHeaderState::complete, end + 2};
}

std::uint16_t big_endian(const unsigned char* at) noexcept {
    return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

std::string address_of(int family, const unsigned char* raw) {
    std::array<char, INET6_ADDRSTRLEN> name{};
    return ::inet_ntop(family, raw, name.data(), name.size());
}

// `raw`: what follows the 16 fixed bytes. False if it is shorter than its family needs.
bool read_binary(unsigned family, const unsigned char* raw, std::size_t size, ProxyHeader& header) {
    if (family != 1 && family != 2) return true;  // unspecified, or a local socket: no address to tell
    const std::size_t width = family == 1 ? 4 : 16;
    if (size < 2 * width + 4) return false;
    const int kind = family == 1 ? AF_INET : AF_INET6;
    header = {address_of(kind, raw), address_of(kind, raw + width), big_endian(raw + 2 * width),
              big_endian(raw + 2 * width + 2)};
    return true;
}

ProxyHeaderResult parse_binary(std::string_view bytes, ProxyHeader& header) {
    if (bytes.size() < 16) return {};
    const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
    const unsigned version = raw[12] >> 4, command = raw[12] & 15, family = raw[13] >> 4;
    const std::size_t size = big_endian(raw + 14);
    if (version != 2 || command > 1 || family > 3 || size > longest_binary) return failed();
    if (bytes.size() < 16 + size) return {};
    if (command == 1 && !read_binary(family, raw + 16, size, header)) return failed();
    return {ProxyHeaderState::complete, 16 + size};
}

bool begins_like(std::string_view bytes, std::string_view prefix) noexcept {
    const std::size_t size = bytes.size() < prefix.size() ? bytes.size() : prefix.size();
    return bytes.substr(0, size) == prefix.substr(0, size);
}

}  // namespace

ProxyHeaderResult parse_proxy_header(std::string_view bytes, ProxyHeader& header) {
    header = {};
    if (begins_like(bytes, first_line))
        return bytes.size() < first_line.size() ? ProxyHeaderResult{} : parse_text(bytes, header);
    if (begins_like(bytes, signature))
        return bytes.size() < signature.size() ? ProxyHeaderResult{} : parse_binary(bytes, header);
    return failed();
}

}  // namespace gateway::http
