#include "libplugins/common/limit_key.hpp"

#include "libgateway/json/value.hpp"

namespace gateway::plugins {

LimitKey::LimitKey(const std::string& key, KeyType type) : type_(type) {
    if (type == KeyType::var) {
        variable_ = expr::compile_variable(key);
    } else {
        template_ = expr::Template(key);
    }
}

std::string_view LimitKey::of(Exchange& exchange) const {
    switch (type_) {
        case KeyType::constant:
            return template_.text();
        case KeyType::var_combination: {
            const expr::Expansion expanded = template_.expand(exchange, exchange.arena());
            return expanded.resolved > 0 ? expanded.text : exchange.client_text;
        }
        case KeyType::var:
            break;
    }
    if (variable_.kind == expr::VariableKind::remote_addr) return exchange.client_text;
    expr::VariableValue value;
    return exchange.read(variable_, value) ? value.plain() : exchange.client_text;
}

inline Hash128 CounterPlace::place_of(const shm::Tables* tables, const shm::Table& table, std::string_view key,
                                      std::uint64_t apart) const noexcept {
    if (known_ != tables) {
        const Hash128 place = place128(prefix_, table.key());
        hash_ = {place.low, place.high};
        known_ = tables;
    }
    Hash128 hash = place128(key, hash_);
    hash.high ^= apart * 0x9E3779B97F4A7C15;
    return hash;
}

shm::Cell* CounterPlace::cell(Exchange& exchange, std::string_view key, std::int64_t now_ms, std::int64_t ttl_ms,
                              std::uint64_t apart) const noexcept {
    shm::Tables* tables = exchange.services().tables();
    if (!tables) return nullptr;
    const shm::Table& table = tables->table(table_);
    return table ? table.find_or_add(place_of(tables, table, key, apart), now_ms, ttl_ms) : nullptr;
}

CounterPlace::Found CounterPlace::find(Exchange& exchange, std::string_view key, std::int64_t now_ms,
                                       std::int64_t ttl_ms, std::uint64_t apart) const noexcept {
    shm::Tables* tables = exchange.services().tables();
    if (!tables) return {};
    const shm::Table& table = tables->table(table_);
    if (!table) return {};
    const Hash128 place = place_of(tables, table, key, apart);
    return {table.find_or_add(place, now_ms, ttl_ms), place};
}

std::string rejection_body(const std::optional<std::string>& message) {
    return message ? json::write(json::Value::object({{"error_msg", *message}})) : std::string();
}

}  // namespace gateway::plugins
