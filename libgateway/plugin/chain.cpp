#include "libgateway/plugin/chain.hpp"

#include <algorithm>
#include <exception>

#include "libgateway/base/log.hpp"

namespace gateway {
namespace {

constexpr std::uint8_t run_it = 1, skip_it = 2;

bool before(const Ref<const Instance>& a, const Ref<const Instance>& b) noexcept {
    return a->priority != b->priority ? a->priority > b->priority : a->name < b->name;
}

bool is_body_phase(Phase phase) noexcept {
    return phase == Phase::body_filter || phase == Phase::delayed_body_filter;
}

// The request goes on without the plugin, or it ends as the phase allows.
Verdict judge_failure(const Instance& instance, Exchange& exchange, Phase phase) noexcept {
    if (exchange.error().code) {
        log::error("{} failed in {}: error {}", instance.name, name_of(phase), exchange.error().code.value());
    }
    if (instance.on_error == OnError::open || phase == Phase::log) return Verdict::next;
    if (is_body_phase(phase)) return Verdict::fail;
    return exchange.respond_with({500, LocalReply::Body::page, {}});
}

void note_answer(const Instance& instance, Exchange& exchange) noexcept {
    exchange.source = ResponseSource::plugin;
    LocalReply& reply = exchange.reply();
    if (reply.status < 400) return;
    log::warn("{} exits with http status code {}", instance.name, reply.status);
    const Meta& meta = instance.meta;
    if (!meta.has_error_response) return;
    reply.kind = meta.error_response_is_json ? LocalReply::Body::json : LocalReply::Body::bytes;
    reply.body = meta.error_response;
}

}  // namespace

Chain::Chain(Scope scope) noexcept : scope_(scope), filters_(static_cast<std::uint8_t>(scope)) {
    thread_local std::uint64_t last = 0;
    version_ = ++last;
}

Ref<const Chain> Chain::make(std::vector<Ref<const Instance>> instances, Scope scope, const InConsumers& in_consumers) {
    std::sort(instances.begin(), instances.end(), before);
    Ref<Chain> made(new Chain(scope));
    made->instances_ = std::move(instances);
    for (const Ref<const Instance>& instance : made->instances_) {
        made->places_.push_back({made->next_filter(*instance), false});
    }
    made->lay_lanes();
    if (scope == Scope::route) made->split(in_consumers);
    return made;
}

// What is judged once per request and then remembered.
std::uint8_t Chain::next_filter(const Instance& instance) noexcept {
    const auto end = static_cast<std::uint8_t>(scope_ == Scope::route ? Scope::global : Scope(64));
    const bool judged = instance.meta.filter || (instance.prefer_route && scope_ == Scope::global);
    return judged && filters_ < end ? filters_++ : uncached;
}

Chain::LaneEntry Chain::entry_of(std::size_t at) const noexcept {
    const Instance& instance = *instances_[at];
    const bool steps_aside = instance.prefer_route && scope_ == Scope::global;
    return {instance.plugin.get(), &instance, instance.meta.filter || steps_aside, places_[at].filter_index};
}

void Chain::lay_lanes() {
    for (std::size_t at = 0; at < instances_.size(); ++at) {
        for (std::size_t phase = 0; phase < phase_count; ++phase) {
            if (instances_[at]->has(Phase(phase))) lanes_[phase].push_back(entry_of(at));
        }
        const BodyNeeds needs = instances_[at]->plugin->body_needs();
        needs_.request = std::max(needs_.request, needs.request);
        needs_.response = std::max(needs_.response, needs.response);
        if (needs.request_limit) limiters_.push_back(entry_of(at));
    }
}

std::optional<std::uint64_t> Chain::find_limit(Exchange& exchange) const noexcept {
    for (const LaneEntry& entry : limiters_) {
        if (!entry.conditional || passes(entry, exchange)) return entry.plugin->body_needs().request_limit;
    }
    return std::nullopt;
}

// Of a route with an auth plugin: `rewrite` in two lanes.
void Chain::split(const InConsumers& in_consumers) {
    std::size_t behind = 0;  // the last auth plugin
    for (std::size_t at = 0; at < instances_.size(); ++at) {
        if (instances_[at]->is_auth) behind = at + 1;
    }
    has_auth_ = behind > 0;
    if (!has_auth_) return;
    std::vector<LaneEntry>& first = lanes_[std::size_t(Phase::rewrite)];
    first.clear();
    for (std::size_t at = 0; at < instances_.size(); ++at) {
        const Instance& instance = *instances_[at];
        const bool free = instance.is_auth || instance.before_auth || !in_consumers || !in_consumers(instance.name);
        places_[at].early = at < behind && free;
        if (instance.has(Phase::rewrite)) (places_[at].early ? first : rest_).push_back(entry_of(at));
    }
}

Ref<const Chain> Chain::merge(std::span<const Override> overrides) const {
    const auto winner = [&](std::string_view name) -> const Override* {
        const auto last = std::find_if(overrides.rbegin(), overrides.rend(),
                                       [&](const Override& override) { return override.name == name; });
        return last == overrides.rend() ? nullptr : &*last;
    };
    std::vector<Ref<const Instance>> merged;
    for (const Ref<const Instance>& instance : instances_) {
        if (!winner(instance->name)) merged.push_back(instance);
    }
    for (const Override& override : overrides) {
        if (override.instance && winner(override.name) == &override) merged.push_back(override.instance);
    }
    std::sort(merged.begin(), merged.end(), before);

    Ref<Chain> made(new Chain(scope_));
    made->filters_ = filters_;
    made->instances_ = std::move(merged);
    for (const Ref<const Instance>& instance : made->instances_) {
        const auto own = std::find(instances_.begin(), instances_.end(), instance);
        const bool kept = own != instances_.end();
        const std::uint8_t known = kept ? places_[static_cast<std::size_t>(own - instances_.begin())].filter_index : 0;
        made->places_.push_back({kept ? known : made->next_filter(*instance), false});
    }
    made->lay_lanes();
    made->lay_rest(*this);
    return made;
}

// First what the route has too and has not run yet, then what only the consumer brings.
void Chain::lay_rest(const Chain& route) {
    for (const bool of_route : {true, false}) {
        for (std::size_t at = 0; at < instances_.size(); ++at) {
            if (!instances_[at]->has(Phase::rewrite)) continue;
            const std::size_t there = route.position(instances_[at]->name);
            const bool known = there < route.instances_.size();
            if (known != of_route) continue;
            if (known && (!route.has_auth_ || route.places_[there].early)) continue;
            rest_.push_back(entry_of(at));
        }
    }
}

std::size_t Chain::position(std::string_view name) const noexcept {
    const auto found = std::find_if(instances_.begin(), instances_.end(),
                                    [&](const auto& instance) { return instance->name == name; });
    return static_cast<std::size_t>(found - instances_.begin());
}

bool Chain::has_plugin(std::string_view name) const noexcept {
    return position(name) < instances_.size();
}

// Whether an instance steps aside is decided with the list of the route that is known at its first phase, and kept.
bool Chain::passes(const LaneEntry& entry, Exchange& exchange) const noexcept {
    std::uint8_t scratch = 0;
    std::uint8_t& known = entry.filter_index == uncached ? scratch : exchange.filter_results[entry.filter_index];
    if (known == 0) known = judge(*entry.instance, exchange) ? run_it : skip_it;
    return known == run_it;
}

bool Chain::judge(const Instance& instance, Exchange& exchange) const noexcept {
    const bool may_step_aside = instance.prefer_route && scope_ == Scope::global && exchange.route_chain;
    if (may_step_aside && exchange.route_chain->has_plugin(instance.name)) return false;
    if (!instance.meta.filter) return true;
    try {
        return instance.meta.filter->evaluate(exchange);
    } catch (const std::exception& error) {
        log::warn("filter of {} cannot be evaluated: {}", instance.name, error.what());
        return true;
    }
}

Verdict Chain::ended(const LaneEntry& entry, Exchange& exchange, Phase phase, Verdict verdict) noexcept {
    if (verdict == Verdict::respond && phase == Phase::log) return Verdict::next;
    if (verdict == Verdict::respond && is_body_phase(phase)) {
        log::error("{} tried to answer in {}, where the head is gone", entry.instance->name, name_of(phase));
        return Verdict::fail;
    }
    if (verdict == Verdict::fail) verdict = judge_failure(*entry.instance, exchange, phase);
    if (verdict == Verdict::respond) note_answer(*entry.instance, exchange);
    return verdict;
}

Verdict Chain::thrown(const LaneEntry& entry, Exchange& exchange, Phase phase) noexcept {
    try {
        throw;
    } catch (const std::exception& error) {
        log::error("{} threw in {}: {}", entry.instance->name, name_of(phase), error.what());
    } catch (...) {
        log::error("{} threw in {}", entry.instance->name, name_of(phase));
    }
    return exchange.fail_with({});
}

}  // namespace gateway
