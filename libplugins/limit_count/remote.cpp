#include "libplugins/limit_count/remote.hpp"

#include <array>

#include "libgateway/base/strings.hpp"
#include "libplugins/common/redis_settings.hpp"

namespace gateway::plugins {
namespace {

constexpr std::string_view fixed_prefix = "plugin-limit-count:v1:", sliding_prefix = "plugin-limit-count:";

// The window begins with the first request. ARGV: cost, window in ms.
const redis::Script& fixed_script() {
    static const redis::Script script(R"(
local ttl = redis.call('PTTL', KEYS[1])
if ttl < 0 then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return {tonumber(ARGV[1]), tonumber(ARGV[2])}
end
return {redis.call('INCRBY', KEYS[1], ARGV[1]), ttl})");
    return script;
}

// ARGV: limit, weight of the window before, cost, expiry in ms.
const redis::Script& sliding_script() {
    static const redis::Script script(R"(
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local limit = tonumber(ARGV[1])
if current >= limit or current + tonumber(ARGV[2]) >= limit then return {0, current} end
current = redis.call('INCRBY', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {1, current})");
    return script;
}

// ARGV: cost, expiry in ms.
const redis::Script& sliding_add_script() {
    static const redis::Script script(R"(
local current = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {current, 0})");
    return script;
}

bool is_pair(const redis::Reply& reply) noexcept {
    using Kind = redis::Reply::Kind;
    return reply.kind == Kind::array && reply.items.size() == 2 && reply.items[0].kind == Kind::integer &&
           reply.items[1].kind == Kind::integer && reply.items[0].integer >= 0 && reply.items[1].integer >= 0;
}

Task<RemoteCount> take_fixed_remote(redis::Database& database, Exchange& exchange, const RemoteLimit& limit) {
    Arena& arena = exchange.arena();
    const std::string_view key = arena.join(fixed_prefix, limit.counter_key);
    const std::array<std::string_view, 2> arguments{"1", word_of(limit.window_ms, arena)};
    redis::Answer answer = co_await database.eval(fixed_script(), key, arguments);
    RemoteCount out;
    if (!answer || !is_pair(answer.reply)) {
        out.failure = answer ? std::string("unexpected reply of Redis") : std::move(answer.failure);
        co_return out;
    }
    const auto consumed = static_cast<std::uint64_t>(answer.reply.items[0].integer);
    out.count.admitted = consumed <= limit.count;
    out.count.remaining = out.count.admitted ? limit.count - consumed : 0;
    out.count.reset_ms = answer.reply.items[1].integer;
    out.remote = {consumed, 0, exchange.services().now_ms() + out.count.reset_ms};
    co_return out;
}

std::string_view window_key(const RemoteLimit& limit, std::int64_t number, Arena& arena) {
    const std::string_view id = arena.join(".", word_of(number, arena), ".counter");
    return arena.join(sliding_prefix, limit.counter_key, id);
}

Task<RemoteCount> take_sliding_remote(redis::Database& database, Exchange& exchange, const RemoteLimit& limit) {
    Arena& arena = exchange.arena();
    const std::int64_t now_ms = exchange.services().now_ms(), number = now_ms / limit.window_ms;
    const std::array<std::string_view, 2> get{"GET", window_key(limit, number - 1, arena)};
    RemoteCount out;
    redis::Answer before = co_await database.command(get);
    if (!before) {
        out.failure = std::move(before.failure);
        co_return out;
    }
    shm::SlidingView view{limit.count, parse_decimal<std::uint64_t>(before.reply.text).value_or(0), 0, limit.window_ms,
                          limit.window_ms - now_ms % limit.window_ms};
    const std::string_view key = window_key(limit, number, arena);
    const std::array<std::string_view, 4> arguments{word_of(static_cast<std::int64_t>(limit.count), arena),
                                                    word_of(view.part(), arena), "1",
                                                    word_of(2 * limit.window_ms, arena)};
    redis::Answer answer = co_await database.eval(sliding_script(), key, arguments);
    if (!answer || !is_pair(answer.reply)) {
        out.failure = answer ? std::string("unexpected reply of Redis") : std::move(answer.failure);
        co_return out;
    }
    view.current = static_cast<std::uint64_t>(answer.reply.items[1].integer);
    out.remote = {view.current, view.previous, (number + 1) * limit.window_ms};
    out.count = answer.reply.items[0].integer == 1 ? view.admitted() : view.refused();
    co_return out;
}

}  // namespace

Task<RemoteCount> take_remote(redis::Database& database, Exchange& exchange, const RemoteLimit& limit) {
    return limit.sliding ? take_sliding_remote(database, exchange, limit)
                         : take_fixed_remote(database, exchange, limit);
}

Task<RemoteSum> add_remote(redis::Database& database, const RemoteDelta& delta) {
    std::string key(delta.sliding ? sliding_prefix : fixed_prefix);
    key += delta.counter_key;
    if (delta.sliding) key += "." + std::to_string(delta.end_ms / delta.window_ms - 1) + ".counter";
    const std::string amount = std::to_string(delta.amount);
    const std::string expiry = std::to_string(delta.sliding ? 2 * delta.window_ms : delta.window_ms);
    const std::array<std::string_view, 2> arguments{amount, expiry};
    const redis::Script& script = delta.sliding ? sliding_add_script() : fixed_script();
    redis::Answer answer = co_await database.eval(script, key, arguments);
    RemoteSum out;
    out.answered = answer || answer.reply.is_error();
    if (!answer || !is_pair(answer.reply)) {
        out.failure = answer ? std::string("unexpected reply of Redis") : std::move(answer.failure);
        co_return out;
    }
    out.consumed = static_cast<std::uint64_t>(answer.reply.items[0].integer);
    out.left_ms = answer.reply.items[1].integer;
    co_return out;
}

Task<RemoteSum> probe_remote(redis::Database& database, std::string_view counter_key) {
    const std::string key = std::string(fixed_prefix) + std::string(counter_key);
    const std::array<std::string_view, 2> words{"PTTL", key};
    redis::Answer answer = co_await database.command(words);
    RemoteSum out;
    out.answered = answer || answer.reply.is_error();
    out.failure = std::move(answer.failure);
    co_return out;
}

}  // namespace gateway::plugins
