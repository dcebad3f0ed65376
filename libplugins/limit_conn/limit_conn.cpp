#include <algorithm>
#include <array>
#include <cmath>

#include "libgateway/base/log.hpp"
#include "libplugins/common/limit_key.hpp"
#include "libplugins/common/quantity.hpp"
#include "libplugins/common/redis_settings.hpp"

namespace gateway::plugins {
namespace {

struct Rule {
    Quantity<1> conn;
    Quantity<0> burst;
    std::string key;
    static constexpr auto schema = config::fields(
        config::field("conn", &Rule::conn, "requests at once without delay", config::required),
        config::field("burst", &Rule::burst, "further ones, delayed", config::required),
        config::field("key", &Rule::key, "template; the rule counts if one of its variables is set", config::required));
};

// Places that are held, by the time when they are given up at the latest: those of a machine that died fall free then.
// ARGV: now, most places, end of this one, its name, time to live; in seconds.
const redis::Script& enter_script() {
    static const redis::Script script(R"(
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1)");
    return script;
}

// Beside the request, which has ended: a place that cannot be given back falls free by its expiry.
Task<void> leave_remote(redis::Database& database, std::string key, std::string member) {
    const std::array<std::string_view, 3> words{"ZREM", key, member};
    const redis::Answer answer = co_await database.command(words);
    if (!answer) log_store_failure("failed to leave a place of limit conn", answer.failure, monotonic_ns() / 1'000'000);
}

class LimitConn final : public Plugin {
public:
    struct Settings : RedisSettings {
        std::optional<Quantity<1>> conn;
        std::optional<Quantity<0>> burst;
        double default_conn_delay = 0;
        bool only_use_default_delay = false;
        std::optional<std::string> key;
        KeyType key_type = KeyType::var;
        std::vector<Rule> rules;
        int rejected_code = 503;
        std::optional<std::string> rejected_msg;
        bool allow_degradation = false;
        std::uint32_t key_ttl = 3600;
    };
    static constexpr std::string_view name = "limit-conn";
    static constexpr int priority = 1003;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        with_redis<Settings>(
            config::field("conn", &Settings::conn, "requests at once without delay: number or template"),
            config::field("burst", &Settings::burst, "further ones, delayed: number or template"),
            config::field("default_conn_delay", &Settings::default_conn_delay,
                          "seconds that a request waits per `conn` requests before it", config::required,
                          config::more_than(0)),
            config::field("only_use_default_delay", &Settings::only_use_default_delay, "read, no effect"),
            config::field("key", &Settings::key, "what is limited apart"),
            config::field("key_type", &Settings::key_type, "how `key` is read"),
            config::field("rules", &Settings::rules, "several limits at once, instead of conn, burst and key",
                          config::items(1)),
            config::field("rejected_code", &Settings::rejected_code, "status of a refusal", config::range(200, 599)),
            config::field("rejected_msg", &Settings::rejected_msg, "text of a refusal", config::length(1)),
            config::field("allow_degradation", &Settings::allow_degradation,
                          "let requests pass where they cannot be counted"),
            config::field("key_ttl", &Settings::key_ttl, "Redis: seconds after which a lost place falls free",
                          config::range(1, 4294967295.0)))
            .exactly_one("conn,burst,key", "rules");

    static void check(const Settings& settings, config::Errors& errors) {
        RedisSettings::check(settings, false, errors);
        if (settings.key_type != KeyType::constant) return;
        const json::Value nowhere;
        const config::Errors::Scope scope(errors, config::Errors::Level::property, "key_type", nowhere);
        errors.add("matches none of the enum values");
    }

    LimitConn(Settings settings, BuildScope& scope)
        : settings_(std::move(settings)),
          redis_(settings_),
          place_(shm::TableId::limit_conn, scope.counter_prefix() + ":"),
          rejection_(rejection_body(settings_.rejected_msg)) {
        if (settings_.key)
            limits_.push_back(
                {LimitKey(*settings_.key, settings_.key_type), {}, false, *settings_.conn, *settings_.burst});
        for (const Rule& rule : settings_.rules)
            limits_.push_back({{}, expr::Template(rule.key), true, rule.conn, rule.burst});
    }

    Step access(Exchange& exchange) const override {
        if (!redis_.local()) return access_redis(exchange);
        bool any = false;
        double delay = 0;
        for (const Limit& limit : limits_) {
            Applied applied{};
            if (!apply(limit, exchange, applied)) {
                if (limit.is_rule) continue;
                return failed(exchange, "conn or burst is no whole number");
            }
            any = true;
            const Entry entry = enter(exchange, applied);
            if (entry == Entry::failed) return failed(exchange, "no room in shared memory");
            if (entry == Entry::refused) return reject(exchange, settings_.rejected_code, rejection_);
            const Held& newest = *exchange.slot<Slots>(*this).first;
            if (newest.running > applied.conn) {
                const std::uint64_t rounds = (newest.running - 1) / applied.conn;
                delay = std::max(delay, settings_.default_conn_delay * static_cast<double>(rounds));
            }
        }
        if (!any) return failed(exchange, "no rule has a variable that is set");
        if (delay < 0.001) return Verdict::next;
        return wait(exchange, delay);
    }

    // Whatever became of the request, also if a later rule or plugin refused it.
    Step log(Exchange& exchange) const override {
        Slots& slots = exchange.slot<Slots>(*this);
        for (const Remote* held = slots.remote; held; held = held->next)
            spawn(leave_remote(*held->database, std::string(held->key), std::string(held->member)));
        slots.remote = nullptr;
        shm::Tables* tables = exchange.services().tables();
        if (!slots.first || !tables) return Verdict::next;
        const std::int64_t now_ms = exchange.services().now_ms();
        for (const Held* held = slots.first; held; held = held->next) tables->connections().leave(held->lease, now_ms);
        slots.first = nullptr;
        return Verdict::next;
    }

private:
    struct Limit {
        LimitKey key;
        expr::Template rule_key;
        bool is_rule;
        Quantity<1> conn;
        Quantity<0> burst;
    };
    struct Applied {
        std::string_view key;
        std::uint64_t conn, burst;
    };
    struct Held {
        shm::LeaseId lease;
        std::uint64_t running;
        Held* next;
    };
    struct Remote {
        redis::Database* database;
        std::string_view key, member;
        Remote* next;
    };
    struct Slots {
        Held* first = nullptr;
        Remote* remote = nullptr;
    };
    enum class Entry : unsigned char { entered, refused, failed };

    static bool apply(const Limit& limit, Exchange& exchange, Applied& out) {
        if (limit.is_rule) {
            const expr::Expansion key = limit.rule_key.expand(exchange, exchange.arena());
            if (key.resolved == 0) return false;
            out.key = key.text;
        } else {
            out.key = limit.key.of(exchange);
        }
        const auto conn = limit.conn.of(exchange), burst = limit.burst.of(exchange);
        if (!conn || !burst) return false;
        out.conn = static_cast<std::uint64_t>(*conn);
        out.burst = static_cast<std::uint64_t>(*burst);
        return true;
    }

    Entry enter(Exchange& exchange, const Applied& applied) const {
        const std::int64_t now_ms = exchange.services().now_ms();
        shm::Cell* cell = place_.cell(exchange, applied.key, now_ms, 1000);
        if (!cell || !exchange.services().tables()->connections()) return Entry::failed;
        const shm::Entered entered =
            exchange.services().tables()->connections().enter(*cell, applied.conn + applied.burst, now_ms);
        if (!entered.admitted) return Entry::refused;
        Slots& slots = exchange.slot<Slots>(*this);
        slots.first = exchange.arena().make<Held>(Held{entered.lease, entered.running, slots.first});
        return Entry::entered;
    }

    // A name that no other request of any machine has.
    static std::string_view make_member(Exchange& exchange) {
        std::array<unsigned char, 12> bytes{};
        exchange.services().secure_random(bytes.data(), bytes.size());
        constexpr std::string_view digits = "0123456789abcdef";
        char* const begin = exchange.arena().chars(2 * bytes.size());
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            begin[2 * i] = digits[bytes[i] >> 4];
            begin[2 * i + 1] = digits[bytes[i] & 15];
        }
        return {begin, 2 * bytes.size()};
    }

    // Never delays: Redis only says whether there was a place.
    Task<Verdict> access_redis(Exchange& exchange) const {
        Arena& arena = exchange.arena();
        bool any = false;
        for (const Limit& limit : limits_) {
            Applied applied{};
            if (!apply(limit, exchange, applied)) {
                if (limit.is_rule) continue;
                co_return failed(exchange, "conn or burst is no whole number");
            }
            any = true;
            redis::Database* database = redis_.of(exchange);
            if (!database) co_return failed(exchange, "no network");
            const std::string_view key = arena.join("limit_conn:", place_.prefix(), applied.key);
            const std::int64_t now = exchange.services().now_ms() / 1000, ttl = settings_.key_ttl;
            const std::array<std::string_view, 5> arguments{
                word_of(now, arena), word_of(static_cast<std::int64_t>(applied.conn + applied.burst), arena),
                word_of(now + ttl, arena), make_member(exchange), word_of(ttl, arena)};
            // Held from now on: a place may have been taken though the answer is lost.
            Slots& slots = exchange.slot<Slots>(*this);
            slots.remote = arena.make<Remote>(Remote{database, key, arguments[3], slots.remote});
            const redis::Answer answer = co_await database->eval(enter_script(), key, arguments);
            if (!answer) co_return failed(exchange, answer.failure);
            if (answer.reply.integer == 1) continue;
            slots.remote = slots.remote->next;
            co_return reject(exchange, settings_.rejected_code, rejection_);
        }
        co_return any ? Verdict::next : failed(exchange, "no rule has a variable that is set");
    }

    static Task<Verdict> wait(Exchange& exchange, double seconds) {
        const double ms = std::min(std::ceil(seconds * 1000 - 1e-6), 86'400'000.0);
        Task<void> pause = exchange.services().sleep(Milliseconds(static_cast<std::int64_t>(ms)));
        co_await pause;
        co_return Verdict::next;
    }
    Verdict failed(Exchange& exchange, std::string_view why) const {
        log_store_failure("failed to limit conn", why, exchange.services().now_ms());
        if (settings_.allow_degradation) return Verdict::next;
        return exchange.respond_with({500, LocalReply::Body::page, {}});
    }

    Settings settings_;
    std::vector<Limit> limits_;
    RedisPlace redis_;
    CounterPlace place_;
    std::string rejection_;
};
const Registration<LimitConn> registration;

}  // namespace
}  // namespace gateway::plugins
