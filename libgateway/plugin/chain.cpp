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

Ref<const Chain> Chain::make(std::vector<Ref<const Instance>> instances, Scope scope) {
    std::sort(instances.begin(), instances.end(), before);
    Ref<Chain> made(new Chain(scope));
    made->instances_ = std::move(instances);
    const auto end = static_cast<std::uint8_t>(scope == Scope::route ? Scope::global : Scope(64));
    auto next_filter = static_cast<std::uint8_t>(scope);
    for (const Ref<const Instance>& instance : made->instances_) {
        const bool cached = instance->meta.filter && next_filter < end;
        made->lay_lanes(*instance, cached ? next_filter++ : uncached);
    }
    return made;
}

void Chain::lay_lanes(const Instance& instance, std::uint8_t filter_index) {
    const bool steps_aside = instance.prefer_route && scope_ == Scope::global;
    const LaneEntry entry{instance.plugin.get(), &instance, instance.meta.filter || steps_aside, filter_index};
    for (std::size_t phase = 0; phase < phase_count; ++phase) {
        if (instance.has(Phase(phase))) lanes_[phase].push_back(entry);
    }
    const BodyNeeds needs = instance.plugin->body_needs();
    needs_.request = std::max(needs_.request, needs.request);
    needs_.response = std::max(needs_.response, needs.response);
    if (needs.request_limit) limiters_.push_back(entry);
}

std::optional<std::uint64_t> Chain::find_limit(Exchange& exchange) const noexcept {
    for (const LaneEntry& entry : limiters_) {
        if (!entry.conditional || passes(entry, exchange)) return entry.plugin->body_needs().request_limit;
    }
    return std::nullopt;
}

bool Chain::has_plugin(std::string_view name) const noexcept {
    return std::any_of(instances_.begin(), instances_.end(),
                       [&](const auto& instance) { return instance->name == name; });
}

bool Chain::passes(const LaneEntry& entry, Exchange& exchange) const noexcept {
    const Instance& instance = *entry.instance;
    if (instance.prefer_route && scope_ == Scope::global && exchange.route_chain &&
        exchange.route_chain->has_plugin(instance.name)) {
        return false;
    }
    if (!instance.meta.filter) return true;
    std::uint8_t scratch = 0;
    std::uint8_t& known = entry.filter_index == uncached ? scratch : exchange.filter_results[entry.filter_index];
    if (known == 0) {
        try {
            known = instance.meta.filter->evaluate(exchange) ? run_it : skip_it;
        } catch (const std::exception& error) {
            log::warn("filter of {} cannot be evaluated: {}", instance.name, error.what());
            known = run_it;
        }
    }
    return known == run_it;
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
