// IP addresses, networks and sets of networks; IPv4-mapped IPv6 addresses count as IPv4.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::expr {

// 128 bits in host order; IPv4 as ::ffff:a.b.c.d, so that mapped addresses are the same value.
class Address {
public:
    constexpr Address() noexcept = default;
    static constexpr Address v4(std::uint32_t host_order) noexcept { return Address(0, mapped | host_order); }
    static constexpr Address v6(std::uint64_t high, std::uint64_t low) noexcept { return Address(high, low); }
    static Address v6(const std::array<unsigned char, 16>& bytes) noexcept;

    constexpr bool is_v4() const noexcept { return high_ == 0 && low_ >> 32 == 0xffff; }
    constexpr std::uint64_t high() const noexcept { return high_; }
    constexpr std::uint64_t low() const noexcept { return low_; }
    std::string text() const;

    friend constexpr bool operator==(const Address&, const Address&) noexcept = default;
    friend constexpr bool operator<(const Address& a, const Address& b) noexcept {
        return a.high_ != b.high_ ? a.high_ < b.high_ : a.low_ < b.low_;
    }

private:
    static constexpr std::uint64_t mapped = 0xffff00000000ULL;
    constexpr Address(std::uint64_t high, std::uint64_t low) noexcept : high_(high), low_(low) {}
    std::uint64_t high_ = 0, low_ = 0;
};

// Dotted IPv4 (four decimal parts without leading zeros) or IPv6 text without brackets and zone. No allocation.
std::optional<Address> parse_address(std::string_view text) noexcept;

// One network as the range of its addresses. `/0` covers its own family only.
struct Cidr {
    Address first, last;
    bool v4 = false;
    bool contains(const Address& address) const noexcept {
        return address.is_v4() == v4 && !(address < first) && !(last < address);
    }
};

// `address` or `address/bits`; bits of the host part may be set. No allocation.
std::optional<Cidr> parse_cidr(std::string_view text) noexcept;

// Any number of networks, found by binary search. Immutable once made.
class CidrSet {
public:
    CidrSet() = default;
    explicit CidrSet(std::span<const Cidr> networks);

    bool empty() const noexcept { return ranges_.empty(); }
    bool contains(const Address& address) const noexcept;
    // Whether every address of `other` is in this set.
    bool covers(const CidrSet& other) const noexcept;
    bool overlaps(const CidrSet& other) const noexcept;

private:
    std::vector<Cidr> ranges_;  // sorted, disjoint; IPv4 and IPv6 apart
};

}  // namespace gateway::expr
