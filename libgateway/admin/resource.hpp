// The kinds of objects of the Admin API: their paths, their names in messages, and which methods each has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libgateway/config/delta.hpp"

namespace gateway::admin {

enum class Method : std::uint8_t { get = 1, put = 2, post = 4, patch = 8, del = 16 };
std::optional<Method> parse_method(std::string_view text) noexcept;

struct Resource {
    std::string_view list;             // in paths: "consumer_groups"
    std::string_view name;             // in messages: "consumer group"
    std::optional<config::Kind> kind;  // nothing: known, but not in this build
    std::uint8_t methods = 0;          // bits of Method
    bool allows(Method method) const noexcept { return (methods & static_cast<std::uint8_t>(method)) != 0; }
};

// By the word in the path; nullptr if there is no such resource.
const Resource* find_resource(std::string_view list) noexcept;
// Credentials live below their consumer: /consumers/<user>/credentials.
const Resource& credentials() noexcept;
// All but the credentials.
std::span<const Resource> resources() noexcept;

// One object or one list that a request is about.
struct Place {
    const Resource* resource = nullptr;
    std::string user;  // of credentials
    std::string id;    // as in the path; empty: the list
    // Name in the store: "jack/credentials/c1" of credentials, else the id.
    std::string stored_id(std::string_view short_id) const;
    // The key in answers: "/apisix/consumers/jack/credentials/c1"; of the list without id.
    std::string key(std::string_view short_id) const;
};
inline constexpr std::string_view store_prefix = "/apisix";

}  // namespace gateway::admin
