// Making rules and searching them, for tests of route/.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/json/value.hpp"
#include "libgateway/route/router.hpp"

namespace gateway::test {

inline Ref<route::RouteRule> make_rule(std::string id, std::uint64_t order, std::vector<std::string> uris,
                                       std::vector<std::string> hosts = {}, std::int32_t priority = 0) {
    auto rule = make_ref<route::RouteRule>();
    rule->id = std::move(id);
    rule->order = order;
    rule->uris = std::move(uris);
    rule->hosts = std::move(hosts);
    rule->priority = priority;
    return rule;
}

inline Ref<const expr::Expression> make_vars(std::string_view json) {
    return Ref<const expr::Expression>(new expr::Expression(json::parse(json)));
}

inline expr::CidrSet make_addresses(std::initializer_list<std::string_view> texts) {
    std::vector<expr::Cidr> networks;
    for (std::string_view text : texts) networks.push_back(expr::parse_cidr(text).value());
    return expr::CidrSet(networks);
}

inline route::MatchInput make_input(std::string_view path, std::string_view host = "_",
                                    std::string_view method = "GET") {
    route::MatchInput input;
    input.path = path;
    input.host = input.raw_host = host;
    input.method = route::method_bit(method);
    input.client = expr::Address::v4(0x7f000001);
    return input;
}

inline std::string id_of(const route::RouteMatch& match) {
    return match ? match.rule()->id : "none";
}

}  // namespace gateway::test
