// Rules and requests made from few words, so that they meet often. Numbers come from the caller (a generator or fuzz
// bytes).
#pragma once

#include <string>
#include <vector>

#include "tests/unit/expr/fake_request.hpp"
#include "tests/unit/route/rules.hpp"

namespace gateway::test {

// `pick(n)`: any number below n.
template <class Pick>
std::string random_pattern(Pick& pick) {
    static const std::vector<std::string> words{"a",
                                                "b",
                                                "ab",
                                                "abc",
                                                "c",
                                                "*",
                                                "*x",
                                                "*y",
                                                ":x",
                                                ":y",
                                                "a*",
                                                "a*b",
                                                "",
                                                "a:b",
                                                "x?",
                                                "long-segment-1",
                                                "long-segment-2"};
    std::string out = pick(20) == 0 ? "" : "/";
    for (unsigned count = 1 + pick(4); count > 0; --count) {
        out += words[pick(static_cast<unsigned>(words.size()))];
        if (count > 1) out += '/';
    }
    if (pick(8) == 0) out += "/?";
    return out;
}

template <class Pick>
std::string random_path(Pick& pick) {
    static const std::vector<std::string> words{
        "a", "b", "ab", "abc", "c", "abd", "", "a:b", "x?", "long-segment-1", "long-segment-2"};
    std::string out = "/";
    for (unsigned count = 1 + pick(5); count > 0; --count) {
        out += words[pick(static_cast<unsigned>(words.size()))];
        if (count > 1) out += '/';
    }
    return out;
}

template <class Pick>
Ref<const route::RouteRule> random_rule(Pick& pick, std::uint64_t order) {
    static const std::vector<std::string> hosts{"a.com",  "b.a.com", "c.b.a.com", "*.a.com",  "*.b.a.com",
                                                "*a.com", "*m",      "*",         "a.com:80", "*.com:80",
                                                "d.org",  "*:80",    "*.com",     "_"};
    auto rule = make_rule("r" + std::to_string(order), order, {});
    for (unsigned count = 1 + pick(3) / 2; count > 0; --count) rule->uris.push_back(random_pattern(pick));
    for (unsigned count = pick(4) / 2 * (1 + pick(2)); count > 0; --count) {
        rule->hosts.push_back(hosts[pick(static_cast<unsigned>(hosts.size()))]);
    }
    rule->priority = static_cast<int>(pick(3)) - 1;
    if (pick(3) == 0) rule->methods = 1 + pick(7);
    static const auto local = make_addresses({"127.0.0.0/8"}), remote = make_addresses({"10.0.0.0/8", "2001:db8::/32"});
    if (pick(6) == 0) rule->addresses = pick(2) ? local : remote;
    if (pick(4) == 0) rule->vars = make_vars(pick(2) ? R"([["arg_n","==","1"]])" : R"([["arg_n","~=","1"]])");
    return rule;
}

// Owns the texts that its input views.
struct RandomRequest {
    FakeRequest fake;
    std::string path, raw_host;
    std::string_view host;
    route::MatchInput input;
};
template <class Pick>
void fill(RandomRequest& request, Pick& pick) {
    static const std::vector<std::string> hosts{"a.com", "b.a.com", "c.b.a.com", "xa.com",
                                                "d.org", "other",   "_",         "a.com:80"};
    request.path = random_path(pick);
    request.raw_host = hosts[pick(static_cast<unsigned>(hosts.size()))];
    request.host = std::string_view(request.raw_host).substr(0, request.raw_host.find(':'));
    request.fake.query = pick(2) ? "n=1" : "n=2";
    request.input = make_input(request.path, request.host);
    request.input.raw_host = request.raw_host;
    request.input.method = pick(4) == 0 ? 0 : 1u << pick(3);
    request.input.variables = &request.fake;
    if (pick(2)) request.input.client = expr::Address::v4(0x0a010203);
}

}  // namespace gateway::test
