#include "libgateway/plugin/debug_header.hpp"

#include <fmt/format.h>

#include <array>

namespace gateway {
namespace {

bool seen_before(const Exchange::Trace* trace, const Exchange::Trace* first) noexcept {
    for (; first != trace; first = first->next) {
        if (first->plugin == trace->plugin) return true;
    }
    return false;
}

std::string_view append(std::string_view text, const Exchange::Trace& trace, DebugForm form, Arena& arena) {
    if (!text.empty()) text = arena.join(text, ", ");
    if (form == DebugForm::names) return arena.join(text, trace.plugin);
    return arena.join(arena.join(text, trace.plugin, "#"), name_of(trace.phase));
}

}  // namespace

std::string_view debug_header(Exchange& exchange, const Chain& route_chain, DebugForm form) {
    for (const Phase phase : {Phase::body_filter, Phase::delayed_body_filter, Phase::log}) {
        for (const auto& instance : route_chain.instances()) {
            if (instance->has(phase)) exchange.trace(instance->name, phase, instance->where);
        }
    }
    std::string_view text;
    for (const Exchange::Trace* trace = exchange.traces(); trace; trace = trace->next) {
        if (form == DebugForm::names && seen_before(trace, exchange.traces())) continue;
        text = append(text, *trace, form, exchange.arena());
    }
    return text.empty() ? "no plugin" : text;
}

namespace {

// "key-auth=routes/1, proxy-rewrite=consumers/jack": each pair once.
std::string_view sources_of(Exchange& exchange) {
    std::string_view text;
    for (const Exchange::Trace* trace = exchange.traces(); trace; trace = trace->next) {
        const Exchange::Trace* known = exchange.traces();
        while (known != trace && (known->plugin != trace->plugin || known->where != trace->where)) known = known->next;
        if (known != trace) continue;
        if (!text.empty()) text = exchange.arena().join(text, ", ");
        text = exchange.arena().join(exchange.arena().join(text, trace->plugin, "="), trace->where);
    }
    return text;
}

// "key-auth#access;cpu=12.3;wait=250.0": microseconds of what ran so far.
std::string_view times_of(Exchange& exchange) {
    std::string_view text;
    for (const Exchange::Trace* trace = exchange.traces(); trace; trace = trace->next) {
        if (trace->cpu_ns == 0 && trace->wait_ns == 0) continue;
        text = append(text, *trace, DebugForm::phases, exchange.arena());
        std::array<char, 96> times;
        const auto in_us = [](std::int64_t ns) { return static_cast<double>(ns) / 1000; };
        char* end = fmt::format_to(times.data(), ";cpu={:.1f}", in_us(trace->cpu_ns));
        if (trace->wait_ns != 0) end = fmt::format_to(end, ";wait={:.1f}", in_us(trace->wait_ns));
        text = exchange.arena().join(text, {times.data(), static_cast<std::size_t>(end - times.data())});
    }
    return text;
}

void set_or_remove(Exchange& exchange, std::string_view name, std::string_view value) {
    if (value.empty() || !exchange.response.fields.set(name, value)) exchange.response.fields.remove(name);
}

}  // namespace

void set_debug_header(Exchange& exchange, const Chain& route_chain, DebugForm form, std::string_view field_name) {
    if (form == DebugForm::off) return;
    exchange.response.fields.set(field_name, debug_header(exchange, route_chain, form));
    set_or_remove(exchange, sources_field, sources_of(exchange));
    set_or_remove(exchange, times_field, times_of(exchange));
    exchange.debug_field = field_name;
}

}  // namespace gateway
