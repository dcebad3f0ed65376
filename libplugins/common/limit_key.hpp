// What the limit plugins have in common: the key that a request is counted under, and what a refused one is told.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/expr/template.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/shm/tables.hpp"

namespace gateway::plugins {

enum class KeyType : unsigned char { var, var_combination, constant };

constexpr auto enum_names(KeyType) {
    return std::array{std::pair{std::string_view("var"), KeyType::var},
                      std::pair{std::string_view("var_combination"), KeyType::var_combination},
                      std::pair{std::string_view("constant"), KeyType::constant}};
}

// Immutable; lives with the plugin.
class LimitKey {
public:
    LimitKey() = default;
    LimitKey(const std::string& key, KeyType type);
    // The client's address if the variable, or every variable of the combination, is unset.
    std::string_view of(Exchange& exchange) const;

private:
    KeyType type_ = KeyType::var;
    expr::Variable variable_;
    expr::Template template_;
};

// Where the local counters of one configured plugin are: keys of others never meet them. One worker.
class CounterPlace {
public:
    CounterPlace(shm::TableId table, std::string prefix) : table_(table), prefix_(std::move(prefix)) {}
    // Of full keys, as they are written to Redis: "<parent>:<version>:" or "<group>:".
    const std::string& prefix() const noexcept { return prefix_; }
    // The cell of `key`, or null: no shared memory, or no room. `apart` keeps cells of different kinds apart.
    shm::Cell* cell(Exchange& exchange, std::string_view key, std::int64_t now_ms, std::int64_t ttl_ms,
                    std::uint64_t apart = 0) const noexcept;
    struct Found {
        shm::Cell* cell = nullptr;
        Hash128 place;  // by which it is found again, whoever asks
    };
    Found find(Exchange& exchange, std::string_view key, std::int64_t now_ms, std::int64_t ttl_ms,
               std::uint64_t apart) const noexcept;

private:
    Hash128 place_of(const shm::Tables* tables, const shm::Table& table, std::string_view key,
                     std::uint64_t apart) const noexcept;

    shm::TableId table_;
    std::string prefix_;
    mutable const shm::Tables* known_ = nullptr;  // that hash_ was made for
    mutable HashKey hash_;
};

// {"error_msg":"<message>"}, or empty without a message: then the built-in page is sent.
std::string rejection_body(const std::optional<std::string>& message);
inline Verdict reject(Exchange& exchange, int status, std::string_view body) {
    const auto kind = body.empty() ? LocalReply::Body::page : LocalReply::Body::json;
    return exchange.respond_with({static_cast<unsigned>(status), kind, body});
}

}  // namespace gateway::plugins
