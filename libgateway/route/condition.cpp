#include "libgateway/route/condition.hpp"

namespace gateway::route {
namespace {

class NoVariables final : public expr::VariableSource {
public:
    bool read(const expr::Variable&, expr::VariableValue& out) const override {
        out = {};
        return false;
    }
};

const expr::VariableSource& variables_of(const MatchInput& input) noexcept {
    static const NoVariables none;
    return input.variables ? *input.variables : none;
}
bool method_holds(const RouteRule& rule, const MatchInput& input) noexcept {
    return rule.methods == 0 || (rule.methods & input.method) != 0;
}
bool address_holds(const RouteRule& rule, const MatchInput& input) noexcept {
    return rule.addresses.empty() || rule.addresses.contains(input.client);
}
bool host_holds(const RouteRule& rule, const MatchInput& input) noexcept {
    for (const std::string& host : rule.hosts) {
        if (host_covers(host, input.host, input.raw_host)) return true;
    }
    return rule.hosts.empty();
}

}  // namespace

bool holds(const Entry& entry, const MatchInput& input) {
    const RouteRule& rule = *entry.rule;
    rule.prefetch();
    return method_holds(rule, input) && address_holds(rule, input) && entry.pattern.fits(input.path) &&
           (!rule.vars || rule.vars->evaluate(variables_of(input)));
}

std::string first_failure(const Entry& entry, const MatchInput& input) {
    const RouteRule& rule = *entry.rule;
    if (!method_holds(rule, input)) return "method";
    if (!address_holds(rule, input)) return "remote_addr";
    if (!host_holds(rule, input)) return "host";
    if (!entry.pattern.fits(input.path)) return "template";
    if (!rule.vars || rule.vars->evaluate(variables_of(input))) return {};
    return "vars" + rule.vars->first_failure(variables_of(input));
}

}  // namespace gateway::route
