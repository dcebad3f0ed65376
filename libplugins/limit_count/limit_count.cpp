#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "libgateway/base/log.hpp"
#include "libgateway/shm/window.hpp"
#include "libplugins/common/arena_text.hpp"
#include "libplugins/limit_count/delayed.hpp"
#include "libplugins/limit_count/remote.hpp"
#include "libplugins/limit_count/settings.hpp"

namespace gateway::plugins {
namespace {

// One limit as the configuration has it.
struct Limit {
    LimitKey key;
    expr::Template rule_key;
    bool is_rule = false;  // counts only where its key has a variable that is set
    Quantity<1> count, time_window;
    struct Name {
        std::string text;
        http::FieldName id;
        explicit Name(std::string name) : text(std::move(name)), id(http::field_name(text)) {}
    };
    Name limit_field, remaining_field, reset_field;
    std::string count_text = count.is_template() ? std::string() : std::to_string(count.number());
};

// One limit for one request.
struct Applied {
    const Limit* limit;
    std::string_view key;
    std::int64_t count, window_s;
};

// "X-RateLimit-Limit" with prefix "a": "X-a-RateLimit-Limit".
Limit::Name prefixed(std::string name, const std::string& prefix) {
    const std::size_t at = prefix.empty() ? std::string::npos : name.find("RateLimit-");
    if (at != std::string::npos) name.insert(at, prefix + "-");
    return Limit::Name(std::move(name));
}

std::string_view number_text(std::uint64_t number, Arena& arena) {
    char* const begin = arena.chars(20);
    return {begin, static_cast<std::size_t>(std::to_chars(begin, begin + 20, number).ptr - begin)};
}

// Seconds, cut to two decimals, without trailing zeros.
std::string_view seconds_text(std::int64_t ms, Arena& arena) {
    const auto hundredths = static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0) / 10);
    if (hundredths % 100 == 0) return number_text(hundredths / 100, arena);
    char* const begin = arena.chars(24);
    char* end = std::to_chars(begin, begin + 20, hundredths / 100).ptr;
    *end++ = '.';
    *end++ = static_cast<char>('0' + hundredths % 100 / 10);
    if (hundredths % 10 != 0) *end++ = static_cast<char>('0' + hundredths % 10);
    return {begin, static_cast<std::size_t>(end - begin)};
}

class LimitCount final : public Plugin {
public:
    using Settings = LimitCountSettings;
    using Metadata = LimitCountMetadata;
    static constexpr std::string_view name = "limit-count";
    static constexpr int priority = 1002;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema = Settings::make_schema();

    static std::string_view group_of(const json::Value& settings) {
        const json::Value* group = settings.find("group");
        return group ? std::string_view(group->string()) : std::string_view();
    }
    static void check(const Settings& settings, config::Errors& errors) { Settings::check(settings, errors); }

    LimitCount(Settings settings, BuildScope& scope)
        : settings_(std::move(settings)),
          redis_(settings_),
          place_(shm::TableId::limit_count, settings_.group ? *settings_.group + ":" : scope.counter_prefix() + ":"),
          rejection_(rejection_body(settings_.rejected_msg)),
          info_(expr::VariableNames::add("rate_limiting_info")) {
        if (!redis_.local() && settings_.sync_interval > 0)
            delayed_ = std::make_shared<Delayed>(settings_.sync_interval, sliding());
        Metadata names;
        config::Errors errors;
        if (scope.metadata) config::read(*scope.metadata, names, errors);
        errors.throw_if_any();
        if (settings_.rules.empty()) {
            limits_.push_back({LimitKey(settings_.key, settings_.key_type),
                               {},
                               false,
                               *settings_.count,
                               *settings_.time_window,
                               prefixed(names.limit_header, {}),
                               prefixed(names.remaining_header, {}),
                               prefixed(names.reset_header, {})});
        }
        for (const LimitCountRule& rule : settings_.rules) {
            const std::string prefix = rule.header_prefix.value_or(std::to_string(limits_.size() + 1));
            limits_.push_back({{},
                               expr::Template(rule.key),
                               true,
                               rule.count,
                               rule.time_window,
                               prefixed(names.limit_header, prefix),
                               prefixed(names.remaining_header, prefix),
                               prefixed(names.reset_header, prefix)});
        }
    }

    ~LimitCount() override {
        if (delayed_) delayed_->drop();
    }

    Step access(Exchange& exchange) const override {
        if (limits_.size() > 1 && has_bad_rule(exchange)) return no_rules(exchange, not_a_number);
        if (!redis_.local()) return delayed_ ? access_delayed(exchange) : Step(access_redis(exchange, 0));
        bool any = false;
        for (const Limit& limit : limits_) {
            Applied applied{};
            const Found found = apply(limit, exchange, applied);
            if (found == Found::not_meant) continue;
            if (found == Found::bad) return no_rules(exchange, not_a_number);
            any = true;
            const std::int64_t now_ms = exchange.services().now_ms();
            shm::Cell* cell = cell_of(exchange, applied, now_ms);
            if (!cell) return not_counted(exchange, "no room in shared memory");
            if (!settle(exchange, applied, take(*cell, applied, now_ms)))
                return reject(exchange, settings_.rejected_code, rejection_);
        }
        return any ? Verdict::next : no_rules(exchange, "no rule has a variable that is set");
    }

private:
    // Goes on by access_redis() at the first limit that must wait.
    Step access_delayed(Exchange& exchange) const {
        bool any = false;
        for (std::size_t i = 0; i < limits_.size(); ++i) {
            Applied applied{};
            const Found found = apply(limits_[i], exchange, applied);
            if (found == Found::not_meant) continue;
            if (found == Found::bad) return no_rules(exchange, not_a_number);
            any = true;
            const std::optional<shm::WindowCount> count = decide_delayed(exchange, applied);
            if (!count) return access_redis(exchange, i);
            if (!settle(exchange, applied, *count)) return reject(exchange, settings_.rejected_code, rejection_);
        }
        return any ? Verdict::next : no_rules(exchange, "no rule has a variable that is set");
    }

    // The limits from number `from` on; earlier ones are decided.
    Task<Verdict> access_redis(Exchange& exchange, std::size_t from) const {
        bool any = false;
        for (std::size_t i = from; i < limits_.size(); ++i) {
            Applied applied{};
            const Found found = apply(limits_[i], exchange, applied);
            if (found == Found::not_meant) continue;
            if (found == Found::bad) co_return no_rules(exchange, not_a_number);
            any = true;
            const RemoteCount result = co_await ask_redis(exchange, applied);
            if (!result.failure.empty()) co_return not_counted(exchange, result.failure);
            if (!settle(exchange, applied, result.count))
                co_return reject(exchange, settings_.rejected_code, rejection_);
        }
        co_return any ? Verdict::next : no_rules(exchange, "no rule has a variable that is set");
    }

    Task<RemoteCount> ask_redis(Exchange& exchange, const Applied& applied) const {
        RemoteCount result;
        redis::Database* database = redis_.of(exchange);
        if (!database) {
            result.failure = "no network";
            co_return result;
        }
        if (!delayed_ || !delayed_->fits(window_ms(applied))) {
            const RemoteLimit limit = remote_limit(exchange, applied);
            result = co_await take_remote(*database, exchange, limit);
            co_return result;
        }
        if (const auto known = decide_delayed(exchange, applied)) {
            result.count = *known;
            co_return result;
        }
        const DelayedLimit limit = delayed_limit(exchange, applied);
        if (limit.cell) {
            result = co_await delayed_->synchronise(exchange, *database, limit);
        } else {
            result = co_await take_remote(*database, exchange, limit.remote);
        }
        if (result.failure.empty()) co_return result;
        if (const auto count = take_local(exchange, applied)) result = {*count, {}, {}};
        co_return result;
    }

    // Nothing: Redis must be asked. Where that is known to fail this machine counts alone.
    std::optional<shm::WindowCount> decide_delayed(Exchange& exchange, const Applied& applied) const {
        redis::Database* database = redis_.of(exchange);
        if (!database || !delayed_->fits(window_ms(applied))) return std::nullopt;
        const DelayedLimit limit = delayed_limit(exchange, applied);
        if (!limit.cell) return std::nullopt;
        const QuotaCopy::Decision decision = delayed_->decide(exchange.services(), *database, limit);
        if (decision.state == QuotaCopy::State::decided) return decision.count;
        return decision.state == QuotaCopy::State::failing ? take_local(exchange, applied) : std::nullopt;
    }
    std::optional<shm::WindowCount> take_local(Exchange& exchange, const Applied& applied) const noexcept {
        const std::int64_t now_ms = exchange.services().now_ms();
        shm::Cell* cell = cell_of(exchange, applied, now_ms);
        return cell ? std::optional(take(*cell, applied, now_ms)) : std::nullopt;
    }
    RemoteLimit remote_limit(Exchange& exchange, const Applied& applied) const {
        return {exchange.arena().join(place_.prefix(), applied.key), static_cast<std::uint64_t>(applied.count),
                window_ms(applied), sliding()};
    }
    // Windows are whole seconds: cells of local counters have even numbers.
    DelayedLimit delayed_limit(Exchange& exchange, const Applied& applied) const {
        const std::int64_t window = window_ms(applied);
        const auto apart = static_cast<std::uint64_t>(window + (sliding() ? 3 : 1));
        const CounterPlace::Found found =
            place_.find(exchange, applied.key, exchange.services().now_ms(), 2 * window, apart);
        return {remote_limit(exchange, applied), found.place, found.cell};
    }

    enum class Found : unsigned char { meant, not_meant, bad };
    static constexpr std::string_view not_a_number = "a count or a window is no whole number above 0";

    // Of several rules none is counted if one cannot be.
    bool has_bad_rule(Exchange& exchange) const {
        return std::any_of(limits_.begin(), limits_.end(), [&](const Limit& limit) {
            Applied applied{};
            return apply(limit, exchange, applied) == Found::bad;
        });
    }

    static Found apply(const Limit& limit, Exchange& exchange, Applied& out) {
        out.limit = &limit;
        if (limit.is_rule) {
            const expr::Expansion key = limit.rule_key.expand(exchange, exchange.arena());
            if (key.resolved == 0) return Found::not_meant;
            out.key = key.text;
        } else {
            out.key = limit.key.of(exchange);
        }
        const auto count = limit.count.of(exchange), window = limit.time_window.of(exchange);
        if (!count || !window) return Found::bad;
        out.count = *count;
        out.window_s = *window;
        return Found::meant;
    }

    static std::int64_t window_ms(const Applied& applied) noexcept {
        return std::min(applied.window_s, std::int64_t{1} << 42) * 1000;
    }
    bool sliding() const noexcept { return settings_.window_type == WindowType::sliding; }
    shm::Cell* cell_of(Exchange& exchange, const Applied& applied, std::int64_t now_ms) const noexcept {
        const std::int64_t window = window_ms(applied);
        return place_.cell(exchange, applied.key, now_ms, 2 * window,
                           sliding() ? static_cast<std::uint64_t>(window) : 0);
    }
    shm::WindowCount take(shm::Cell& cell, const Applied& applied, std::int64_t now_ms) const noexcept {
        const auto count = static_cast<std::uint64_t>(applied.count);
        return sliding() ? shm::take_sliding(cell, count, window_ms(applied), 1, now_ms)
                         : shm::take_fixed(cell, count, window_ms(applied), 1, now_ms);
    }

    // Tells client and log. False: refused.
    bool settle(Exchange& exchange, const Applied& applied, const shm::WindowCount& count) const {
        const bool told = settings_.show_limit_quota_header, asked = expr::VariableNames::wanted(info_);
        if (!told && !asked) return count.admitted;
        Arena& arena = exchange.arena();
        const std::string_view limit = applied.limit->count_text.empty()
                                           ? number_text(static_cast<std::uint64_t>(applied.count), arena)
                                           : applied.limit->count_text;
        const std::string_view remaining = number_text(count.remaining, arena);
        const std::string_view reset = seconds_text(count.reset_ms, arena);
        if (told) {
            const Limit& names = *applied.limit;
            exchange.promise(names.limit_field.text, limit, names.limit_field.id);
            exchange.promise(names.remaining_field.text, remaining, names.remaining_field.id);
            exchange.promise(names.reset_field.text, reset, names.reset_field.id);
        }
        if (asked) {
            ArenaText text(arena, 192);
            text << R"({"rate_limiting_key":)" << json::write(json::Value(applied.key)) << R"(,"rate_limiting_limit":)"
                 << limit << R"(,"rate_limiting_remaining":)" << remaining << R"(,"rate_limiting_reset":)" << reset
                 << "}";
            exchange.set_custom(info_, text.view());
        }
        return count.admitted;
    }

    Verdict no_rules(Exchange& exchange, std::string_view why) const {
        log::error("failed to get rate limit rules: {}", why);
        if (settings_.allow_degradation) return Verdict::next;
        return exchange.respond_with({500, LocalReply::Body::page, {}});
    }
    Verdict not_counted(Exchange& exchange, std::string_view why) const {
        log_store_failure("failed to limit count", why, exchange.services().now_ms());
        if (settings_.allow_degradation) return Verdict::next;
        return exchange.respond_with({500, LocalReply::Body::json, R"({"error_msg":"failed to limit count"})"});
    }

    Settings settings_;
    std::vector<Limit> limits_;
    RedisPlace redis_;
    CounterPlace place_;
    std::shared_ptr<Delayed> delayed_;  // null: no delayed synchronisation
    std::string rejection_;
    std::uint16_t info_;
};
// The name must be known before the first expression is compiled, also where no route has the plugin.
const auto variable = expr::VariableNames::add("rate_limiting_info");
const Registration<LimitCount> registration;

}  // namespace
}  // namespace gateway::plugins
