#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "libgateway/base/log.hpp"
#include "libgateway/shm/window.hpp"
#include "libplugins/common/limit_key.hpp"
#include "libplugins/common/redis_settings.hpp"

namespace gateway::plugins {
namespace {

// ARGV: requests per second, burst in 1/1000 request, now in ms, expiry in s. The state is that of the reference.
const redis::Script& bucket_script() {
    static const redis::Script script(R"(
local state = redis.call('HMGET', KEYS[1], 'excess', 'last')
local excess = 0
if state[1] and state[2] then
    local elapsed = math.abs(tonumber(ARGV[3]) - tonumber(state[2]))
    excess = math.max(tonumber(state[1]) - tonumber(ARGV[1]) * elapsed + 1000, 0)
    if excess > tonumber(ARGV[2]) then return {0, '0'} end
end
local text = string.format('%.3f', excess)
redis.call('HMSET', KEYS[1], 'excess', text, 'last', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {1, text})");
    return script;
}

class LimitReq final : public Plugin {
public:
    struct Settings : RedisSettings {
        double rate = 0, burst = 0;
        std::string key;
        KeyType key_type = KeyType::var;
        int rejected_code = 503;
        std::optional<std::string> rejected_msg;
        bool nodelay = false, allow_degradation = false;
    };
    static constexpr std::string_view name = "limit-req";
    static constexpr int priority = 1001;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema = with_redis<Settings>(
        config::field("rate", &Settings::rate, "requests per second", config::required, config::more_than(0)),
        config::field("burst", &Settings::burst, "further requests that wait for their turn", config::required,
                      config::at_least(0)),
        config::field("key", &Settings::key, "what is limited apart", config::required),
        config::field("key_type", &Settings::key_type, "how `key` is read"),
        config::field("rejected_code", &Settings::rejected_code, "status of a refusal", config::range(200, 599)),
        config::field("rejected_msg", &Settings::rejected_msg, "text of a refusal", config::length(1)),
        config::field("nodelay", &Settings::nodelay, "let the burst pass at once"),
        config::field("allow_degradation", &Settings::allow_degradation,
                      "let requests pass where they cannot be counted"));

    static void check(const Settings& settings, config::Errors& errors) {
        RedisSettings::check(settings, false, errors);
        if (settings.key_type != KeyType::constant) return;
        const json::Value nowhere;
        const config::Errors::Scope scope(errors, config::Errors::Level::property, "key_type", nowhere);
        errors.add("matches none of the enum values");
    }

    LimitReq(Settings settings, BuildScope& scope)
        : settings_(std::move(settings)),
          redis_(settings_),
          key_(settings_.key, settings_.key_type),
          place_(shm::TableId::limit_req, scope.counter_prefix() + ":"),
          rejection_(rejection_body(settings_.rejected_msg)) {}

    Step access(Exchange& exchange) const override {
        if (!redis_.local()) return access_redis(exchange);
        const std::string_view key = key_.of(exchange);
        const std::int64_t now_ms = exchange.services().now_ms();
        shm::Cell* cell = place_.cell(exchange, key, now_ms, 1000);
        if (!cell) return not_counted(exchange, "no room in shared memory");
        return settle(exchange, shm::take_leaky(*cell, settings_.rate, settings_.burst, now_ms));
    }

private:
    Task<Verdict> access_redis(Exchange& exchange) const {
        Arena& arena = exchange.arena();
        redis::Database* database = redis_.of(exchange);
        if (!database) co_return not_counted(exchange, "no network");
        const std::string_view counter = arena.join(place_.prefix(), key_.of(exchange));
        const std::string_view key = arena.join("limit_req:", counter);
        const double seconds = std::min(std::ceil(settings_.burst / settings_.rate) + 1, 1e9);
        const std::array<std::string_view, 4> arguments{
            word_of(settings_.rate, arena), word_of(settings_.burst * 1000, arena),
            word_of(exchange.services().now_ms(), arena), word_of(static_cast<std::int64_t>(seconds), arena)};
        const redis::Answer answer = co_await database->eval(bucket_script(), key, arguments);
        if (!answer) co_return not_counted(exchange, answer.failure);
        shm::Drip drip;
        if (!read_drip(answer.reply, drip)) co_return not_counted(exchange, "unexpected reply of Redis");
        Step step = settle(exchange, drip);
        if (step.ready()) co_return step.verdict();
        Task<Verdict> pending = std::move(step).wait();
        const Verdict verdict = co_await pending;
        co_return verdict;
    }
    static bool read_drip(const redis::Reply& reply, shm::Drip& out) noexcept {
        if (reply.items.size() != 2 || reply.items[0].kind != redis::Reply::Kind::integer) return false;
        const std::string& text = reply.items[1].text;
        double thousandths = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), thousandths).ec != std::errc()) return false;
        out.admitted = reply.items[0].integer == 1;
        out.excess = thousandths / 1000;
        return true;
    }

    Step settle(Exchange& exchange, const shm::Drip& drip) const {
        if (!drip.admitted) return reject(exchange, settings_.rejected_code, rejection_);
        const double wait_ms = std::min(drip.excess / settings_.rate * 1000, 86'400'000.0);
        if (settings_.nodelay || wait_ms < 1) return Verdict::next;
        return wait(exchange, Milliseconds(std::llround(wait_ms)));
    }
    static Task<Verdict> wait(Exchange& exchange, Milliseconds duration) {
        Task<void> pause = exchange.services().sleep(duration);
        co_await pause;
        co_return Verdict::next;
    }
    Verdict not_counted(Exchange& exchange, std::string_view why) const {
        log_store_failure("failed to limit req", why, exchange.services().now_ms());
        if (settings_.allow_degradation) return Verdict::next;
        return exchange.respond_with({500, LocalReply::Body::page, {}});
    }

    Settings settings_;
    RedisPlace redis_;
    LimitKey key_;
    CounterPlace place_;
    std::string rejection_;
};
const Registration<LimitReq> registration;

}  // namespace
}  // namespace gateway::plugins
