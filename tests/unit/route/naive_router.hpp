// The routers again, in the plainest way: every rule is looked at, in an order made by sorting. What the trees are
// compared to.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "libgateway/route/router.hpp"

namespace gateway::test {

class NaiveRouter {
public:
    explicit NaiveRouter(route::RouterKind kind) : kind_(kind) {}

    void add(const Ref<const route::RouteRule>& rule) { rules_.push_back(rule); }
    void remove(const Ref<const route::RouteRule>& rule) {
        rules_.erase(std::remove(rules_.begin(), rules_.end(), rule), rules_.end());
    }
    const std::vector<Ref<const route::RouteRule>>& rules() const noexcept { return rules_; }

    struct Answer {
        std::string id = "none", pattern;
        std::map<std::string, std::string> params;
        friend bool operator==(const Answer&, const Answer&) = default;
    };

    Answer find(const route::MatchInput& input) const {
        std::vector<Candidate> candidates;
        for (const auto& rule : rules_) {
            for (std::size_t i = 0; i < rule->uris.size(); ++i) consider(*rule, i, input, candidates);
        }
        const auto best = std::min_element(candidates.begin(), candidates.end(),
                                           [](const Candidate& a, const Candidate& b) { return a.rank < b.rank; });
        return best == candidates.end() ? Answer() : best->answer;
    }

private:
    // Host group, exact before prefix, longer literal, higher priority, longer pattern, older, earlier in uris.
    using Rank = std::tuple<int, long, int, long, long, long, std::uint64_t, std::size_t>;
    struct Candidate {
        Rank rank;
        Answer answer;
    };

    bool is_parameter(std::string_view pattern, std::size_t at) const {
        return kind_ == route::RouterKind::uri_with_parameter && pattern[at] == ':' &&
               (at == 0 || pattern[at - 1] == '/') && at + 1 < pattern.size() && pattern[at + 1] != '/';
    }
    std::size_t literal_size(std::string_view pattern) const {
        std::size_t at = 0;
        while (at < pattern.size() && pattern[at] != '*' && !is_parameter(pattern, at)) ++at;
        return at;
    }
    // Reads pattern and path from the left, each wildcard taking as much as it can and giving back what it must.
    bool fits(std::string_view pattern, std::size_t at, std::string_view path, Answer& answer) const {
        if (at == pattern.size()) return path.empty();
        const bool segment_start = at == 0 || pattern[at - 1] == '/';
        const bool star = pattern[at] == '*' && segment_start, parameter = is_parameter(pattern, at);
        if (!star && !parameter) {
            return !path.empty() && path.front() == pattern[at] && fits(pattern, at + 1, path.substr(1), answer);
        }
        const std::size_t end = std::min(pattern.find('/', at), pattern.size());
        std::string name(pattern.substr(at + 1, end - at - 1));
        if (name.empty()) name = ":ext";
        const std::size_t most = star ? path.size() : std::min(path.find('/'), path.size()), least = star ? 0 : 1;
        for (std::size_t take = most + 1; take-- > least;) {
            Answer inner = answer;
            inner.params[name] = path.substr(0, take);
            if (!fits(pattern, end, path.substr(take), inner)) continue;
            answer = inner;
            return true;
        }
        return false;
    }
    bool path_fits(std::string_view pattern, std::string_view path, Answer& answer) const {
        const std::size_t literal = literal_size(pattern);
        if (literal == pattern.size()) return path == pattern;
        const bool whole_segment = literal == 0 || pattern[literal - 1] == '/';
        const bool plain = pattern[literal] == '*' && (literal + 1 == pattern.size() || !whole_segment);
        if (plain) return path.substr(0, literal) == pattern.substr(0, literal);
        if (pattern.size() > 2 && pattern.substr(pattern.size() - 2) == "/?") {
            const std::string_view shorter = pattern.substr(0, pattern.size() - 2);
            if (fits(shorter, 0, path, answer)) return true;
            return !path.empty() && path.back() == '/' && fits(shorter, 0, path.substr(0, path.size() - 1), answer);
        }
        return fits(pattern, 0, path, answer);
    }
    static bool host_fits(std::string_view pattern, const route::MatchInput& input) {
        const std::string_view have = pattern.find(':') != std::string_view::npos ? input.raw_host : input.host;
        if (pattern.front() != '*') return have == pattern;
        pattern.remove_prefix(1);
        return have.size() >= pattern.size() && have.substr(have.size() - pattern.size()) == pattern;
    }
    // Rank of the best host group that the rule is in; false if it is in none.
    bool host_group(const route::RouteRule& rule, const route::MatchInput& input,
                    std::vector<std::pair<int, long>>& groups) const {
        for (const std::string& host : rule.hosts) {
            if (!host_fits(host, input)) continue;
            const bool raw = host.find(':') != std::string::npos, wild = host.front() == '*';
            groups.emplace_back((wild ? 2 : 0) + (raw ? 0 : 1), -static_cast<long>(host.size()));
        }
        if (rule.hosts.empty()) groups.emplace_back(4, 0);
        if (kind_ != route::RouterKind::host_uri && !groups.empty()) groups.assign(1, {0, 0});
        return !groups.empty();
    }
    void consider(const route::RouteRule& rule, std::size_t uri, const route::MatchInput& input,
                  std::vector<Candidate>& out) const {
        if (rule.methods && !(rule.methods & input.method)) return;
        if (!rule.addresses.empty() && !rule.addresses.contains(input.client)) return;
        if (rule.vars && !rule.vars->evaluate(*input.variables)) return;
        std::vector<std::pair<int, long>> groups;
        Answer answer;
        const std::string& pattern = rule.uris[uri];
        if (!host_group(rule, input, groups) || !path_fits(pattern, input.path, answer)) return;
        answer.id = rule.id;
        answer.pattern = pattern;
        const std::size_t literal = literal_size(pattern);
        for (const auto& [group, length] : groups) {
            out.push_back({Rank(group, length, literal == pattern.size() ? 0 : 1, -static_cast<long>(literal),
                                -static_cast<long>(rule.priority), -static_cast<long>(pattern.size()), rule.order, uri),
                           answer});
        }
    }

    route::RouterKind kind_;
    std::vector<Ref<const route::RouteRule>> rules_;
};

}  // namespace gateway::test
