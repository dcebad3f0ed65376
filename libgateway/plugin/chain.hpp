// The compiled order of plugins: one lane per phase, holding only plugins that have the phase.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/plugin/plugin.hpp"

namespace gateway {

namespace expr {
class Expression;
}

// One configured plugin, ready to run: shared by all chains that use the same configured entry.
class Instance : public RefCounted {
public:
    std::unique_ptr<const Plugin> plugin;
    std::string_view name;       // of the type; static
    int priority = 0;            // effective: `_meta.priority`, else the type's
    std::uint8_t phases = 0;     // bits by Phase
    OnError on_error = OnError::open;
    std::unique_ptr<const expr::Expression> filter;  // `_meta.filter`; null: always
    std::string error_response;  // `_meta.error_response`: text that replaces the body of answers >= 400; empty: none
    bool error_response_is_json = false;
    bool prefer_route = false;
    Instance();
    ~Instance();
};

// Immutable; kept alive by whoever pinned the route entry. Order: effective priority descending, then name ascending.
class Chain : public RefCounted {
public:
    // Instances in any order; sorted here. At most 64 instances in one chain (a configuration error beyond, checked earlier).
    static Ref<const Chain> make(std::vector<Ref<const Instance>> instances, std::uint8_t filter_base = 0);

    bool has(Phase phase) const noexcept { return !lanes_[std::size_t(phase)].empty(); }
    const std::vector<Ref<const Instance>>& instances() const noexcept { return instances_; }
    std::uint64_t request_body_needed() const noexcept { return needs_.request; }
    std::uint64_t response_body_needed() const noexcept { return needs_.response; }

    // Runs the lane of P until a plugin does not answer `next`. A hook that throws is contained: `on_error` decides.
    template <Phase P, class... Args>
    Step run(Exchange& exchange, Args&... args) const {
        const std::span<const LaneEntry> lane = lanes_[std::size_t(P)];
        for (std::size_t i = 0; i < lane.size(); ++i) {
            if (lane[i].instance->filter && !passes(lane[i], exchange)) continue;
            Step step = call<P>(lane[i], exchange, args...);
            if (!step.ready()) return resume<P>(this, std::move(step), lane.subspan(i), exchange, args...);
            if (step.verdict() != Verdict::next) return ended(lane[i], exchange, step.verdict());
        }
        return Verdict::next;
    }

private:
    struct LaneEntry {
        const Plugin* plugin;
        const Instance* instance;
        std::uint8_t filter_index;
    };
    bool passes(const LaneEntry& entry, Exchange& exchange) const noexcept;
    // Takes note of who ended the request: log line, `_meta.error_response`.
    Verdict ended(const LaneEntry& entry, Exchange& exchange, Verdict verdict) const noexcept;
    // What a throw becomes; logs it with the plugin's name.
    static Verdict thrown(const LaneEntry& entry, Exchange& exchange, Phase phase) noexcept;

    template <Phase P, class... Args>
    static Step call(const LaneEntry& entry, Exchange& exchange, Args&... args) noexcept {
        try {
            return (entry.plugin->*hook_of<P>)(exchange, args...);
        } catch (...) {
            return thrown(entry, exchange, P);
        }
    }
    template <Phase P>
    static Task<Verdict> finish(const LaneEntry& entry, Exchange& exchange, Step step) {
        try {
            co_return co_await std::move(step).wait();
        } catch (...) {
        }
        co_return thrown(entry, exchange, P);
    }
    // The only coroutine of the chain; entered at the first plugin that must wait. `lane` begins with that plugin.
    template <Phase P, class... Args>
    static Task<Verdict> resume(const Chain* chain, Step first, std::span<const LaneEntry> lane, Exchange& exchange,
                                Args&... args) {
        Verdict verdict = co_await finish<P>(lane[0], exchange, std::move(first));
        if (verdict != Verdict::next) co_return chain->ended(lane[0], exchange, verdict);
        for (const LaneEntry& entry : lane.subspan(1)) {
            if (entry.instance->filter && !chain->passes(entry, exchange)) continue;
            Step step = call<P>(entry, exchange, args...);
            verdict = step.verdict();
            if (!step.ready()) verdict = co_await finish<P>(entry, exchange, std::move(step));
            if (verdict != Verdict::next) co_return chain->ended(entry, exchange, verdict);
        }
        co_return Verdict::next;
    }

    std::vector<Ref<const Instance>> instances_;
    std::array<std::vector<LaneEntry>, phase_count> lanes_;
    BodyNeeds needs_;
};

}  // namespace gateway
