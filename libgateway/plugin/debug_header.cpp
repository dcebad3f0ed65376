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
            if (instance->has(phase)) exchange.trace(instance->name, phase);
        }
    }
    std::string_view text;
    for (const Exchange::Trace* trace = exchange.traces(); trace; trace = trace->next) {
        if (form == DebugForm::names && seen_before(trace, exchange.traces())) continue;
        text = append(text, *trace, form, exchange.arena());
    }
    return text.empty() ? "no plugin" : text;
}

void set_debug_header(Exchange& exchange, const Chain& route_chain, DebugForm form, std::string_view field_name) {
    if (form == DebugForm::off) return;
    exchange.response.fields.set(field_name, debug_header(exchange, route_chain, form));
}

}  // namespace gateway
