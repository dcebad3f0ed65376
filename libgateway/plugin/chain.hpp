// The compiled order of plugins: one lane per phase, holding only plugins that have the phase.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/plugin/instance.hpp"
#include "libgateway/plugin/plugin.hpp"
#include "libgateway/plugin/plugin_times.hpp"

namespace gateway {

// An entry of a consumer or of its group, as it takes part in merging.
struct Override {
    std::string_view name;         // of the plugin's type
    Ref<const Instance> instance;  // null: the plugin is switched off for that consumer
};

// Immutable; kept alive by whoever pinned the route entry. Order: effective priority descending, then name ascending.
//
// `rewrite` of a chain that has an auth plugin stops behind the last one: what a consumer could replace waits in a
// second lane (run_rest), unless it must precede authentication. A chain merged with a consumer's entries holds in that
// lane what is left to run then, and nothing that the first lane of its route has run: so no plugin can run twice.
class Chain : public RefCounted {
public:
    // Where the cached filter results of a chain begin in Exchange::filter_results: a request runs one chain of each
    // scope.
    enum class Scope : std::uint8_t { route = 0, global = 48 };

    // Whether some consumer or group names that plugin.
    using InConsumers = std::function<bool(std::string_view plugin)>;
    // Instances in any order; sorted here. Without `in_consumers` no consumer names any.
    static Ref<const Chain> make(std::vector<Ref<const Instance>> instances, Scope scope = Scope::route,
                                 const InConsumers& in_consumers = {});
    // This route's chain with a consumer's entries in it, whole entries by name. Of two with one name the last counts.
    Ref<const Chain> merge(std::span<const Override> overrides) const;

    bool has(Phase phase) const noexcept { return !lanes_[std::size_t(phase)].empty(); }
    // Whether `rewrite` has a second lane; only chains of routes.
    bool has_auth() const noexcept { return has_auth_; }
    bool has_plugin(std::string_view name) const noexcept;
    // Never the same for two chains of a thread.
    std::uint64_t version() const noexcept { return version_; }
    const std::vector<Ref<const Instance>>& instances() const noexcept { return instances_; }
    Scope scope() const noexcept { return scope_; }
    std::uint64_t request_body_needed() const noexcept { return needs_.request; }
    std::uint64_t response_body_needed() const noexcept { return needs_.response; }
    // The limit that a plugin of the chain puts in place of `client_max_body_size`, if its filter lets it run.
    std::optional<std::uint64_t> request_body_limit(Exchange& exchange) const noexcept {
        return limiters_.empty() ? std::nullopt : find_limit(exchange);
    }

    // Runs the lane of P until a plugin ends the request. `next`: go on. `respond`: send exchange.reply(). `fail`, only
    // in the body phases: cut the answer off. A hook that fails is judged by its `on_error`: it is passed over, or the
    // request ends (500 page before the head was sent). One that throws is a 500 for whatever plugin as long as there
    // is no head, and judged like a failure afterwards. In `log` every plugin runs whatever the others say.
    template <Phase P, class... Args>
    Step run(Exchange& exchange, Args&... args) const {
        return run_over<P>(lanes_[std::size_t(P)], exchange, args...);
    }
    // What is left of `rewrite` behind the authentication; see above.
    Step run_rest(Exchange& exchange) const { return run_over<Phase::rewrite>(rest_, exchange); }

private:
    static constexpr std::uint8_t uncached = 255;
    struct LaneEntry {
        const Plugin* plugin;
        const Instance* instance;
        bool conditional;  // has a filter, or steps aside for the route
        std::uint8_t filter_index;
    };
    // One instance of the chain, in order.
    struct Place {
        std::uint8_t filter_index = uncached;
        bool early = false;  // ran before or during authentication
    };
    explicit Chain(Scope scope) noexcept;
    void lay_lanes();
    void split(const InConsumers& in_consumers);
    LaneEntry entry_of(std::size_t at) const noexcept;
    std::uint8_t next_filter(const Instance& instance) noexcept;
    void lay_rest(const Chain& route);
    std::size_t position(std::string_view name) const noexcept;  // number of instances if there is none

    template <Phase P, class... Args>
    Step run_over(std::span<const LaneEntry> lane, Exchange& exchange, Args&... args) const {
        for (std::size_t i = 0; i < lane.size(); ++i) {
            if (lane[i].conditional && !passes(lane[i], exchange)) continue;
            Step step = call<P>(lane[i], exchange, args...);
            if (!step.ready()) return resume<P>(this, std::move(step), lane.subspan(i), exchange, args...);
            if (step.verdict() == Verdict::next) continue;
            const Verdict verdict = ended(lane[i], exchange, P, step.verdict());
            if (verdict != Verdict::next) return verdict;
        }
        return Verdict::next;
    }

    std::optional<std::uint64_t> find_limit(Exchange& exchange) const noexcept;
    bool passes(const LaneEntry& entry, Exchange& exchange) const noexcept;
    bool judge(const Instance& instance, Exchange& exchange) const noexcept;
    // What a verdict other than `next` means here: takes note of who ended the request (log line,
    // `_meta.error_response`).
    static Verdict ended(const LaneEntry& entry, Exchange& exchange, Phase phase, Verdict verdict) noexcept;
    // Logs the exception in flight with the plugin's name and counts it: 500 where an answer is possible, else fail.
    static Verdict thrown(const LaneEntry& entry, Exchange& exchange, Phase phase) noexcept;

    template <Phase P, class... Args>
    static Step call(const LaneEntry& entry, Exchange& exchange, Args&... args) noexcept {
        try {
            if (exchange.traced || exchange.timed) [[unlikely]]
                return call_watched<P>(entry, exchange, args...);
            return (entry.plugin->*hook_of<P>)(exchange, args...);
        } catch (...) {
            return thrown(entry, exchange, P);
        }
    }
    // Rare, so it stays out of the lanes; under its own name the bench finds what the clock costs
    // (bench/load/chains.py).
    template <Phase P, class... Args>
    [[gnu::noinline]] static Step call_watched(const LaneEntry& entry, Exchange& exchange, Args&... args) {
        const Instance& instance = *entry.instance;
        Exchange::Trace* trace = exchange.traced ? &exchange.trace(instance.name, P, instance.where) : nullptr;
        tell_before(entry, exchange, P);
        const std::int64_t begun = monotonic_ns();
        Step step = (entry.plugin->*hook_of<P>)(exchange, args...);
        const std::int64_t took = monotonic_ns() - begun;
        if (trace) trace->cpu_ns += took;
        if (exchange.timed) note_time(instance, exchange, P, TimeKind::cpu, took);
        if (step.ready()) tell_after(entry, exchange, P, step.verdict());
        return step;
    }
    // Advanced debug mode.
    static void tell_before(const LaneEntry& entry, const Exchange& exchange, Phase phase) noexcept;
    static void tell_after(const LaneEntry& entry, const Exchange& exchange, Phase phase, Verdict verdict) noexcept;
    // Waits are always measured: whoever waits can afford it.
    template <Phase P>
    static Task<Verdict> finish(const LaneEntry& entry, Exchange& exchange, Step step) {
        try {
            const std::int64_t begun = monotonic_ns();
            Task<Verdict> pending = std::move(step).wait();
            const Verdict verdict = co_await pending;
            const std::int64_t took = monotonic_ns() - begun;
            if (exchange.traced) exchange.trace(entry.instance->name, P, entry.instance->where).wait_ns += took;
            note_time(*entry.instance, exchange, P, TimeKind::wait, took);
            if (exchange.hooks) tell_after(entry, exchange, P, verdict);
            co_return verdict;
        } catch (...) {
            co_return thrown(entry, exchange, P);
        }
    }
    // The only coroutine of the chain; entered at the first plugin that must wait. `lane` begins with that plugin.
    template <Phase P, class... Args>
    static Task<Verdict> resume(const Chain* chain, Step first, std::span<const LaneEntry> lane, Exchange& exchange,
                                Args&... args) {
        Verdict verdict = co_await finish<P>(lane[0], exchange, std::move(first));
        if (verdict != Verdict::next) verdict = ended(lane[0], exchange, P, verdict);
        for (std::size_t i = 1; i < lane.size() && verdict == Verdict::next; ++i) {
            if (lane[i].conditional && !chain->passes(lane[i], exchange)) continue;
            Step step = call<P>(lane[i], exchange, args...);
            verdict = step.verdict();
            if (!step.ready()) verdict = co_await finish<P>(lane[i], exchange, std::move(step));
            if (verdict != Verdict::next) verdict = ended(lane[i], exchange, P, verdict);
        }
        co_return verdict;
    }

    std::vector<Ref<const Instance>> instances_;
    std::vector<Place> places_;  // of each instance
    std::array<std::vector<LaneEntry>, phase_count> lanes_;
    std::vector<LaneEntry> limiters_;  // those with a BodyNeeds::request_limit
    std::vector<LaneEntry> rest_;
    BodyNeeds needs_;
    std::uint64_t version_;
    Scope scope_;
    std::uint8_t filters_;  // the next index to give
    bool has_auth_ = false;
};

}  // namespace gateway
