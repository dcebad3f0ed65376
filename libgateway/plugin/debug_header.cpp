#include "libgateway/plugin/debug_header.hpp"

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

}  // namespace

void set_debug_header(Exchange& exchange, const Chain& route_chain, DebugForm form, std::string_view field_name) {
    if (form == DebugForm::off) return;
    exchange.response.fields.set(field_name, debug_header(exchange, route_chain, form));
    const std::string_view sources = sources_of(exchange);
    if (sources.empty()) exchange.response.fields.remove(sources_field);
    if (!sources.empty()) exchange.response.fields.set(sources_field, sources);
}

}  // namespace gateway
