#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libgateway/shm/tables.hpp"
#include "libplugins/common/escape.hpp"
#include "libplugins/common/header_rules.hpp"

namespace gateway::plugins {
namespace {

struct Unhealthy {
    std::vector<int> http_statuses{500};
    std::uint32_t failures = 3;
    static constexpr auto schema =
        config::fields(config::field("http_statuses", &Unhealthy::http_statuses, "answers that count as failures",
                                     config::items(1), config::unique, config::each(config::range(500, 599))),
                       config::field("failures", &Unhealthy::failures, "so many of them open the breaker",
                                     config::range(1, 4294967295.0)));
};
struct Healthy {
    std::vector<int> http_statuses{200};
    std::uint32_t successes = 3;
    static constexpr auto schema =
        config::fields(config::field("http_statuses", &Healthy::http_statuses, "answers that count as successes",
                                     config::items(1), config::unique, config::each(config::range(200, 499))),
                       config::field("successes", &Healthy::successes, "so many of them forget all failures",
                                     config::range(1, 4294967295.0)));
};
struct BreakHeader {
    std::string key, value;
    static constexpr auto schema = config::fields(
        config::field("key", &BreakHeader::key, "name of the field", config::required, config::length(1)),
        config::field("value", &BreakHeader::value, "template of its value", config::required, config::length(1)));
};

// State of one host and path, in one word, so that all of it changes at once: failures, successes since, second of the
// last opening.
struct BreakerState {
    static constexpr std::uint32_t most_failures = (1u << 20) - 1, most_successes = (1u << 12) - 1;
    std::uint32_t failures = 0, successes = 0;
    std::uint32_t opened = 0;  // seconds since the epoch; 0: never

    explicit BreakerState(std::uint64_t word)
        : failures(word & most_failures),
          successes(word >> 20 & most_successes),
          opened(static_cast<std::uint32_t>(word >> 32)) {}
    std::uint64_t word() const noexcept {
        return std::uint64_t{opened} << 32 | std::uint64_t{std::min(successes, most_successes)} << 20 | failures;
    }
};

class ApiBreaker final : public Plugin {
public:
    struct Settings {
        int break_response_code = 0;
        std::optional<std::string> break_response_body;
        std::vector<BreakHeader> break_response_headers;
        std::uint32_t max_breaker_sec = 300;
        Unhealthy unhealthy;
        Healthy healthy;
    };
    static constexpr std::string_view name = "api-breaker";
    static constexpr int priority = 1005;
    static constexpr auto schema = config::fields(
        config::field("break_response_code", &Settings::break_response_code, "status while the breaker is open",
                      config::required, config::range(200, 599)),
        config::field("break_response_body", &Settings::break_response_body, "body then; without it the built-in page"),
        config::field("break_response_headers", &Settings::break_response_headers,
                      "fields then; sent only together with a body"),
        config::field("max_breaker_sec", &Settings::max_breaker_sec, "longest time that the breaker is open",
                      config::range(3, 4294967295.0)),
        config::field("unhealthy", &Settings::unhealthy, "what counts as a failure"),
        config::field("healthy", &Settings::healthy, "what counts as a success"));

    static void check(const Settings& settings, config::Errors& errors) {
        for (const BreakHeader& header : settings.break_response_headers) {
            if (!is_field_name(header.key)) errors.add("invalid field character in header");
        }
    }

    ApiBreaker(Settings settings, BuildScope&)
        : settings_(std::move(settings)), upstream_status_(expr::compile_variable("upstream_status")) {
        for (const BreakHeader& header : settings_.break_response_headers)
            headers_.emplace_back(header.key, expr::Template(header.value));
    }

    Step access(Exchange& exchange) const override {
        const Hash128& key = exchange.slot<Key>(*this).of(exchange);
        const std::int64_t now_ms = exchange.services().now_ms();
        const shm::Table* table = table_of(exchange);
        const shm::Cell* cell = table ? table->find(key, now_ms) : nullptr;
        if (!cell || !is_open(BreakerState(cell->words[0].load(std::memory_order_acquire)), now_ms / 1000))
            return Verdict::next;
        return answer(exchange);
    }

    Step log(Exchange& exchange) const override {
        const int status = upstream_status(exchange);
        const bool bad = contains(settings_.unhealthy.http_statuses, status);
        const bool good = !bad && contains(settings_.healthy.http_statuses, status);
        const shm::Table* table = bad || good ? table_of(exchange) : nullptr;
        if (!table) return Verdict::next;
        const Hash128& key = exchange.slot<Key>(*this).of(exchange);
        const std::int64_t now_ms = exchange.services().now_ms();
        // A success where nothing failed is not worth an entry.
        shm::Cell* cell = good ? table->find(key, now_ms) : table->find_or_add(key, now_ms, idle_ms);
        if (!cell) return Verdict::next;
        shm::Cell::put(cell->expires_ms, now_ms + idle_ms);
        change(cell->words[0], [&](BreakerState& state) { bad ? fail(state, now_ms / 1000) : succeed(state); });
        return Verdict::next;
    }

private:
    static constexpr std::int64_t idle_ms = 86'400'000;  // then a count of failures may be forgotten

    // Of the path as it is at the plugin's first call: a rewrite in between must not split the two phases.
    struct Key {
        bool made = false;
        Hash128 hash;
        const Hash128& of(Exchange& exchange) {
            if (made) return hash;
            const shm::Table* table = table_of(exchange);
            hash = place128(exchange.arena().join(exchange.host, exchange.uri), table ? table->key() : HashKey{});
            made = true;
            return hash;
        }
    };

    static const shm::Table* table_of(Exchange& exchange) noexcept {
        shm::Tables* tables = exchange.services().tables();
        const shm::Table* table = tables ? &tables->table(shm::TableId::api_breaker) : nullptr;
        return table && *table ? table : nullptr;
    }
    static bool contains(const std::vector<int>& list, int status) noexcept {
        return std::find(list.begin(), list.end(), status) != list.end();
    }
    template <class Change>
    static void change(std::atomic<std::uint64_t>& word, const Change& apply) noexcept {
        std::uint64_t before = word.load(std::memory_order_acquire);
        for (;;) {
            BreakerState state(before);
            apply(state);
            if (state.word() == before || word.compare_exchange_weak(before, state.word(), std::memory_order_acq_rel))
                return;
        }
    }

    std::uint32_t failures() const noexcept {
        return std::min(settings_.unhealthy.failures, BreakerState::most_failures);
    }
    bool is_open(const BreakerState& state, std::int64_t now) const noexcept {
        if (state.opened == 0) return false;
        const std::uint32_t doublings = std::clamp<std::uint32_t>(state.failures / failures(), 1, 40);
        const auto longest = static_cast<std::int64_t>(settings_.max_breaker_sec);
        return now <= std::int64_t{state.opened} + std::min(std::int64_t{1} << doublings, longest);
    }
    void fail(BreakerState& state, std::int64_t now) const noexcept {
        if (state.failures == BreakerState::most_failures) state.failures -= failures();
        ++state.failures;
        state.successes = 0;
        if (state.failures % failures() == 0) state.opened = static_cast<std::uint32_t>(now);
    }
    void succeed(BreakerState& state) const noexcept {
        if (state.failures == 0) return;
        ++state.successes;
        const std::uint32_t needed = std::min(settings_.healthy.successes, BreakerState::most_successes);
        if (state.successes >= needed) state = BreakerState(0);
    }

    // Of the last attempt; 0: the upstream gave no answer.
    int upstream_status(Exchange& exchange) const {
        expr::VariableValue value;
        if (!exchange.read(upstream_status_, value)) return 0;
        const std::string_view all = value.plain();
        const std::size_t comma = all.rfind(',');
        return parse_decimal<int>(trim(comma == std::string_view::npos ? all : all.substr(comma + 1))).value_or(0);
    }

    Verdict answer(Exchange& exchange) const {
        const auto status = static_cast<unsigned>(settings_.break_response_code);
        if (!settings_.break_response_body) return exchange.respond_with({status, LocalReply::Body::page, {}});
        for (const auto& [field, value] : headers_)
            set_field(exchange.response.fields, field,
                      field_value(value.expand(exchange, exchange.arena()).text, exchange.arena()));
        return exchange.respond_with({status, LocalReply::Body::bytes, *settings_.break_response_body});
    }

    Settings settings_;
    expr::Variable upstream_status_;
    std::vector<std::pair<std::string, expr::Template>> headers_;
};
const Registration<ApiBreaker> registration;

}  // namespace
}  // namespace gateway::plugins
