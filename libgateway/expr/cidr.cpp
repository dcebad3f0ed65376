#include "libgateway/expr/cidr.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::expr {
namespace {

std::optional<Address> parse_v4(std::string_view text) noexcept {
    std::uint32_t value = 0;
    for (int part = 0; part < 4; ++part) {
        const std::size_t dot = text.find('.');
        if ((dot == std::string_view::npos) != (part == 3)) return std::nullopt;
        const std::string_view digits = text.substr(0, dot);
        const auto byte = parse_decimal<std::uint32_t>(digits);
        if (!byte || *byte > 255 || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0'))
            return std::nullopt;
        value = value << 8 | *byte;
        text.remove_prefix(std::min(text.size(), digits.size() + 1));
    }
    return Address::v4(value);
}

std::optional<Address> parse_v6(std::string_view text) noexcept {
    char terminated[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return std::nullopt;
    terminated[text.copy(terminated, sizeof terminated - 1)] = '\0';
    std::array<unsigned char, 16> bytes;
    if (inet_pton(AF_INET6, terminated, bytes.data()) != 1) return std::nullopt;
    return Address::v6(bytes);
}

// Ones in the low `bits` bits.
constexpr std::uint64_t low_ones(unsigned bits) noexcept {
    return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

Cidr make_cidr(const Address& address, unsigned host_bits, bool v4) noexcept {
    const std::uint64_t low = low_ones(host_bits), high = host_bits > 64 ? low_ones(host_bits - 64) : 0;
    Cidr out;
    out.first = Address::v6(address.high() & ~high, address.low() & ~low);
    out.last = Address::v6(address.high() | high, address.low() | low);
    out.v4 = v4;
    return out;
}

bool starts_before(const Cidr& a, const Cidr& b) noexcept {
    if (a.v4 != b.v4) return a.v4;
    return a.first == b.first ? b.last < a.last : a.first < b.first;
}

}  // namespace

Address Address::v6(const std::array<unsigned char, 16>& bytes) noexcept {
    std::uint64_t high = 0, low = 0;
    for (int i = 0; i < 8; ++i) high = high << 8 | bytes[i], low = low << 8 | bytes[i + 8];
    return Address(high, low);
}

std::string Address::text() const {
    char out[INET6_ADDRSTRLEN];
    if (is_v4()) {
        const std::uint32_t net = htonl(static_cast<std::uint32_t>(low_));
        return inet_ntop(AF_INET, &net, out, sizeof out);
    }
    unsigned char bytes[16];
    for (int i = 0; i < 8; ++i) {
        bytes[i] = static_cast<unsigned char>(high_ >> (56 - 8 * i));
        bytes[i + 8] = static_cast<unsigned char>(low_ >> (56 - 8 * i));
    }
    return inet_ntop(AF_INET6, bytes, out, sizeof out);
}

std::optional<Address> parse_address(std::string_view text) noexcept {
    return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

std::optional<Cidr> parse_cidr(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
    const unsigned width = dotted ? 32 : 128;
    unsigned bits = width;
    if (slash != std::string_view::npos) {
        const auto given = parse_decimal<unsigned>(text.substr(slash + 1));
        if (!given || *given > width || text.size() - slash > 4) return std::nullopt;
        bits = *given;
    }
    // A mapped network of at least 96 bits is an IPv4 network in other clothes; a wider one is IPv6.
    return make_cidr(*address, width - bits, dotted || (address->is_v4() && bits >= 96));
}

CidrSet::CidrSet(std::span<const Cidr> networks) {
    std::vector<Cidr> sorted(networks.begin(), networks.end());
    std::sort(sorted.begin(), sorted.end(), starts_before);
    for (const Cidr& next : sorted) {
        if (!ranges_.empty() && ranges_.back().v4 == next.v4 && !(ranges_.back().last < next.first)) {
            if (ranges_.back().last < next.last) ranges_.back().last = next.last;
        } else {
            ranges_.push_back(next);
        }
    }
    ranges_.shrink_to_fit();
}

bool CidrSet::contains(const Address& address) const noexcept {
    const bool v4 = address.is_v4();
    const auto behind =
        std::upper_bound(ranges_.begin(), ranges_.end(), address,
                         [v4](const Address& a, const Cidr& range) { return v4 != range.v4 ? v4 : a < range.first; });
    return behind != ranges_.begin() && std::prev(behind)->contains(address);
}

bool CidrSet::covers(const CidrSet& other) const noexcept {
    return std::all_of(other.ranges_.begin(), other.ranges_.end(), [this](const Cidr& inner) {
        return std::any_of(ranges_.begin(), ranges_.end(), [&](const Cidr& outer) {
            return outer.v4 == inner.v4 && !(inner.first < outer.first) && !(outer.last < inner.last);
        });
    });
}

bool CidrSet::overlaps(const CidrSet& other) const noexcept {
    return std::any_of(other.ranges_.begin(), other.ranges_.end(), [this](const Cidr& a) {
        return std::any_of(ranges_.begin(), ranges_.end(),
                           [&](const Cidr& b) { return a.v4 == b.v4 && !(a.last < b.first) && !(b.last < a.first); });
    });
}

}  // namespace gateway::expr
