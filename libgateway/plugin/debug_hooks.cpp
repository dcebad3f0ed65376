#include "libgateway/plugin/debug_hooks.hpp"

#include <algorithm>
#include <array>

#include "libgateway/plugin/registry.hpp"

namespace gateway {
namespace {

constexpr std::string_view plugin_modules = "apisix.plugins.";
constexpr std::size_t longest_text = 1024;

struct Function {
    std::string_view module, name;
    DebugPoint point = DebugPoint::count;  // count: known, but this program has no such stage
};
constexpr std::array catalogue{
    Function{"apisix", "http_ssl_client_hello_phase"},
    Function{"apisix", "http_ssl_phase"},
    Function{"apisix", "http_access_phase", DebugPoint::http_access_phase},
    Function{"apisix", "handle_upstream", DebugPoint::handle_upstream},
    Function{"apisix", "http_balancer_phase", DebugPoint::http_balancer_phase},
    Function{"apisix", "http_header_filter_phase", DebugPoint::http_header_filter_phase},
    Function{"apisix", "http_body_filter_phase", DebugPoint::http_body_filter_phase},
    Function{"apisix", "http_log_phase", DebugPoint::http_log_phase},
    Function{"apisix", "http_admin"},
    Function{"apisix", "http_control"},
    Function{"apisix", "stream_ssl_phase"},
    Function{"apisix", "stream_preread_phase"},
    Function{"apisix", "stream_balancer_phase"},
    Function{"apisix", "stream_log_phase"},
    Function{"apisix.plugin", "filter"},
    Function{"apisix.plugin", "run_plugin"},
    Function{"apisix.plugin", "merge_service_route"},
    Function{"apisix.plugin", "merge_consumer_route", DebugPoint::merge_consumer_route},
    Function{"apisix.plugin", "run_global_rules"},
    Function{"apisix.router", "match", DebugPoint::match},
    Function{"apisix.balancer", "pick_server", DebugPoint::http_balancer_phase},
    Function{"apisix.balancer", "run"},
    Function{"apisix.upstream", "set_by_route"},
    Function{"apisix.upstream", "get_by_id"},
    Function{"apisix.consumer", "find_consumer"},
    Function{"apisix.consumer", "attach_consumer", DebugPoint::attach_consumer},
    Function{"apisix.secret", "fetch_secrets"},
};

const Function& function_at(DebugPoint point) noexcept {
    return *std::find_if(catalogue.begin(), catalogue.end(),
                         [point](const Function& function) { return function.point == point; });
}

std::string_view cut(std::string_view text) noexcept {
    return text.substr(0, longest_text);
}

// A variable as text; "-" if it is not set.
std::string_view text_of(const Exchange& exchange, const expr::Variable& variable) noexcept {
    expr::VariableValue value;
    return exchange.read(variable, value) && value ? cut(value.plain()) : "-";
}
std::string_view request_id_of(const Exchange& exchange) {
    static const expr::Variable variable = expr::compile_variable("request_id");
    return text_of(exchange, variable);
}
std::string route_of(const Exchange& exchange) {
    static const expr::Variable variable = expr::compile_variable("route_id");
    return fmt::format("route: {}", text_of(exchange, variable));
}
std::string node_of(const Exchange& exchange) {
    static const expr::Variable variable = expr::compile_variable("upstream_addr");
    return fmt::format("node: {}", text_of(exchange, variable));
}

std::string request_of(const Exchange& exchange) {
    return fmt::format("method: {}, uri: {}, host: {}, client: {}", cut(exchange.request.method_text),
                       cut(exchange.uri), cut(exchange.host), exchange.client_text);
}

std::string answer_of(const Exchange& exchange) {
    static constexpr std::array<std::string_view, 4> sources{"none", "upstream", "plugin", "gateway"};
    return fmt::format("status: {}, source: {}", exchange.response.status, sources[std::size_t(exchange.source)]);
}

std::string whose(const Exchange& exchange) {
    return exchange.consumer() ? fmt::format("consumer: {}", cut(exchange.consumer()->username)) : "";
}

}  // namespace

DebugHooks::DebugHooks(const config::DebugConfig& config, std::vector<std::string>& problems)
    : filter_(config.http_filter.enable ? config.http_filter.enable_header_name : ""),
      args_(config.hook_conf.is_print_input_args),
      results_(config.hook_conf.is_print_return_value) {
    parse_log_level(config.hook_conf.log_level, level_);
    for (const auto& [module, functions] : config.hooks) {
        for (const std::string& function : functions) add(module, function, problems);
    }
}

void DebugHooks::add(std::string_view module, std::string_view function, std::vector<std::string>& problems) {
    const auto unknown = [&] {
        problems.push_back(fmt::format("failed to find function [{}] in module:{}", function, module));
    };
    if (module.starts_with(plugin_modules)) {
        const std::string_view name = module.substr(plugin_modules.size());
        const PluginType* type = plugin_registry().find(name);
        if (!type) return problems.push_back(fmt::format("failed to load module [{}]: not found", module));
        for (std::size_t phase = 0; phase < phase_count; ++phase) {
            if (name_of(Phase(phase)) != function || !(type->phases >> phase & 1)) continue;
            return plugins_.push_back({std::string(name), static_cast<std::uint8_t>(1u << phase)});
        }
        return unknown();
    }
    bool known = false;
    for (const Function& one : catalogue) {
        known = known || one.module == module;
        if (one.module != module || one.name != function) continue;
        if (one.point != DebugPoint::count) points_.set(std::size_t(one.point));
        return;
    }
    if (known) return unknown();
    const std::string text = fmt::format("failed to load module [{}]: not found", module);
    if (std::find(problems.begin(), problems.end(), text) == problems.end()) problems.push_back(text);
}

bool DebugHooks::concern(const Exchange& exchange) const noexcept {
    return any() && (filter_.empty() || exchange.request.fields.find(filter_));
}

bool DebugHooks::watches(std::string_view plugin, Phase phase) const noexcept {
    return std::any_of(plugins_.begin(), plugins_.end(),
                       [&](const Watched& one) { return (one.phases >> unsigned(phase) & 1) && one.plugin == plugin; });
}

void DebugHooks::print(std::string_view module, std::string_view function, bool result, std::string_view text,
                       const Exchange& exchange) const noexcept {
    const std::string_view blank = text.empty() ? "" : " ";
    log::at(level_, "call require(\"{}\").{}() {}:{{{}{}{}}} request_id: {}", module, function,
            result ? "return" : "args", blank, text, blank, request_id_of(exchange));
}

void DebugHooks::before(DebugPoint point, const Exchange& exchange) const noexcept {
    if (!args_ || !points_.test(std::size_t(point)) || !log::enabled(level_)) return;
    if (point == DebugPoint::http_access_phase && !from_the_start()) return;
    const Function& function = function_at(point);
    const bool late = point == DebugPoint::http_header_filter_phase || point == DebugPoint::http_body_filter_phase ||
                      point == DebugPoint::http_log_phase;
    print(function.module, function.name, false, late ? answer_of(exchange) : request_of(exchange), exchange);
}

void DebugHooks::after(DebugPoint point, const Exchange& exchange) const noexcept {
    if (!results_ || !points_.test(std::size_t(point)) || !log::enabled(level_)) return;
    const Function& function = function_at(point);
    std::string text;
    if (point == DebugPoint::http_access_phase || point == DebugPoint::match) text = route_of(exchange);
    if (point == DebugPoint::http_balancer_phase) text = node_of(exchange);
    if (point == DebugPoint::handle_upstream || point == DebugPoint::http_header_filter_phase)
        text = answer_of(exchange);
    if (point == DebugPoint::merge_consumer_route || point == DebugPoint::attach_consumer) text = whose(exchange);
    print(function.module, function.name, true, text, exchange);
}

void DebugHooks::before(std::string_view plugin, Phase phase, std::string_view where,
                        const Exchange& exchange) const noexcept {
    if (!args_ || !watches(plugin, phase) || !log::enabled(level_)) return;
    const std::string module = std::string(plugin_modules) + std::string(plugin);
    print(module, name_of(phase), false, fmt::format("conf: {}, {}", where, request_of(exchange)), exchange);
}

void DebugHooks::after(std::string_view plugin, Phase phase, Verdict verdict, const Exchange& exchange) const noexcept {
    if (!results_ || !watches(plugin, phase) || !log::enabled(level_)) return;
    const std::string module = std::string(plugin_modules) + std::string(plugin);
    std::string text;
    if (verdict == Verdict::respond) text = fmt::format("status: {}", exchange.reply().status);
    if (verdict == Verdict::fail) text = "failed";
    print(module, name_of(phase), true, text, exchange);
}

}  // namespace gateway
