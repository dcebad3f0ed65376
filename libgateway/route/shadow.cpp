#include "libgateway/route/shadow.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <unordered_map>

#include "libgateway/route/entry_group.hpp"

namespace gateway::route {
namespace {

constexpr std::size_t comparison_limit = 20'000'000, tie_limit = 1000;
constexpr std::uint32_t every_method = 0x7ff;  // the enumeration, and one bit for all others

std::uint32_t methods_of(const RouteRule& rule) noexcept {
    return rule.methods ? rule.methods : every_method;
}

// Why no normalised path can fit; empty if one may (router.md 2.1).
std::string why_never(const Pattern& pattern) {
    const std::string_view literal = pattern.literal();
    const std::string path(pattern.kind() == PatternKind::exact ? std::string(literal) + "/" : std::string(literal));
    if (!literal.empty() && literal.front() != '/') return "no path begins without '/'";
    if (literal.find("//") != std::string_view::npos) return "no normalised path holds '//'";
    if (path.find("/./") != std::string::npos || path.find("/../") != std::string::npos) {
        return "no normalised path holds a dot segment";
    }
    return {};
}

class Examination {
public:
    Examination(RouterKind kind, std::span<const Ref<const RouteRule>> routes) : kind_(kind), routes_(routes) {
        for (const auto& route : routes) add(route);
        for (auto& [key, list] : lists_) {
            std::sort(list.begin(), list.end(), [](const Entry* a, const Entry* b) { return before(*a, *b); });
        }
    }
    Findings run() {
        for (const Entry& entry : entries_) examine(entry);
        for (const auto& route : routes_) report(*route);
        for (const Entry& entry : entries_) find_ties(entry);
        findings_.complete = comparisons_ < comparison_limit;
        return std::move(findings_);
    }

private:
    // What is known of one route while its entries are looked at.
    struct State {
        bool reachable = false;
        std::vector<const RouteRule*> by;
        std::string never;
        std::vector<std::string> conditions;  // sorted
        bool shadowed = false;
    };
    using List = std::vector<const Entry*>;

    static std::string key_of(SlotKind slot, std::string_view literal, std::string_view host) {
        std::string key(slot == SlotKind::exact ? "=" : "^");
        return key.append(literal).append(1, '\0').append(host);
    }
    static SlotKind slot_of(const Entry& entry) noexcept {
        return entry.pattern.kind() == PatternKind::exact ? SlotKind::exact : SlotKind::prefix;
    }
    static std::vector<std::string> hosts_of(const RouteRule& rule) {
        return rule.hosts.empty() ? std::vector<std::string>{""} : rule.hosts;
    }

    void add(const Ref<const RouteRule>& rule) {
        State& state = states_[rule.get()];
        if (rule->vars) state.conditions = rule->vars->conjuncts();
        std::sort(state.conditions.begin(), state.conditions.end());
        for (std::size_t i = 0; i < rule->uris.size(); ++i) {
            Entry& entry = entries_.emplace_back();
            entry.rule = rule;
            entry.uri = static_cast<std::uint32_t>(i);
            entry.pattern = Pattern::parse(rule->uris[i], kind_ == RouterKind::uri_with_parameter);
            for (const std::string& host : hosts_of(*rule)) {
                lists_[key_of(slot_of(entry), entry.pattern.literal(), host)].push_back(&entry);
            }
        }
    }
    const List* list(SlotKind slot, std::string_view literal, std::string_view host) const {
        const auto at = lists_.find(key_of(slot, literal, host));
        return at == lists_.end() ? nullptr : &at->second;
    }

    // Lists of the entry's own path group whose host pattern covers `host` (a pattern, or "" for any host).
    template <class Each>
    void each_covering_list(const Entry& entry, std::string_view host, Each&& each) const {
        const auto visit = [&](std::string_view pattern) {
            if (const List* found = list(slot_of(entry), entry.pattern.literal(), pattern)) each(*found);
        };
        visit(host);
        if (kind_ == RouterKind::host_uri) return;
        if (!host.empty()) visit("");
        if (host != "*") visit("*");
        const HostPattern pattern = HostPattern::of(host);
        const std::size_t from = pattern.kind == SlotKind::prefix ? 1 : 0;
        for (std::size_t at = from; !pattern.raw && at < pattern.text.size(); ++at) {
            visit("*" + std::string(pattern.text.substr(at)));
        }
    }
    // Only in the host router: the group of `*` is searched before the routes without hosts, whatever their paths.
    template <class Each>
    void each_earlier_prefix(const Entry& entry, std::string_view host, Each&& each) const {
        if (kind_ != RouterKind::host_uri || !host.empty()) return;
        const std::string_view literal = entry.pattern.literal();
        for (std::size_t size = 0; size <= literal.size(); ++size) {
            if (const List* found = list(SlotKind::prefix, literal.substr(0, size), "*")) each(*found);
        }
        const List* same = slot_of(entry) == SlotKind::exact ? list(SlotKind::exact, literal, "*") : nullptr;
        if (same) each(*same);
    }

    bool conditions_imply(const RouteRule& inner, const RouteRule& outer) const {
        if (!outer.addresses.empty() && (inner.addresses.empty() || !outer.addresses.covers(inner.addresses)))
            return false;
        const auto &more = states_.at(&inner).conditions, &fewer = states_.at(&outer).conditions;
        return std::includes(more.begin(), more.end(), fewer.begin(), fewer.end());
    }
    static bool path_covers(const Entry& outer, const Entry& inner) noexcept {
        return outer.pattern.kind() != PatternKind::template_ || outer.pattern.text() == inner.pattern.text();
    }

    // Methods of `entry` on `host` that no earlier route takes; `by` gathers those that do.
    std::uint32_t left_over(const Entry& entry, std::string_view host, std::vector<const RouteRule*>& by) {
        std::uint32_t left = methods_of(*entry.rule);
        const auto try_cover = [&](const Entry& other) {
            if (other.rule == entry.rule || !(left & methods_of(*other.rule)) || !path_covers(other, entry)) return;
            if (!conditions_imply(*entry.rule, *other.rule)) return;
            left &= ~methods_of(*other.rule);
            if (std::find(by.begin(), by.end(), other.rule.get()) == by.end()) by.push_back(other.rule.get());
        };
        each_covering_list(entry, host, [&](const List& list) {
            for (auto other = list.begin(); other != list.end() && left && before(**other, entry) && compare();
                 ++other) {
                try_cover(**other);
            }
        });
        each_earlier_prefix(entry, host, [&](const List& list) {
            for (auto other = list.begin(); other != list.end() && left && compare(); ++other) try_cover(**other);
        });
        return left;
    }
    void examine(const Entry& entry) {
        State& state = states_[entry.rule.get()];
        if (state.reachable) return;
        std::string never = why_never(entry.pattern);
        if (!never.empty()) {
            state.never = std::move(never);
            return;
        }
        for (const std::string& host : hosts_of(*entry.rule)) {
            if (left_over(entry, host, state.by) == 0) continue;
            state.reachable = true;
            return;
        }
    }
    void report(const RouteRule& rule) {
        State& state = states_[&rule];
        if (state.reachable) return;
        state.shadowed = true;
        std::string why;
        for (const RouteRule* by : state.by)
            why += (why.empty() ? "every request is taken by route [" : ", [") + by->id + "]";
        if (why.empty()) why = state.never;
        findings_.shadowed.push_back({&rule, state.by, std::move(why)});
    }

    bool overlap(const RouteRule& a, const RouteRule& b) const {
        if (!(methods_of(a) & methods_of(b))) return false;
        if (!a.addresses.empty() && !b.addresses.empty() && !a.addresses.overlaps(b.addresses)) return false;
        const auto &left = states_.at(&a).conditions, &right = states_.at(&b).conditions;
        return std::includes(left.begin(), left.end(), right.begin(), right.end()) ||
               std::includes(right.begin(), right.end(), left.begin(), left.end());
    }
    // Each pair is met from the side whose host pattern is the narrower one.
    void find_ties(const Entry& entry) {
        if (states_[entry.rule.get()].shadowed) return;
        for (const std::string& host : hosts_of(*entry.rule)) {
            each_covering_list(entry, host, [&](const List& list) {
                for (const Entry* other : list) {
                    if (findings_.ties.size() >= tie_limit || !compare()) return;
                    if (ties(entry, *other)) add_tie(entry, *other);
                }
            });
        }
    }
    bool ties(const Entry& a, const Entry& b) {
        return a.rule != b.rule && a.rule->priority == b.rule->priority && a.pattern.text() == b.pattern.text() &&
               !states_[b.rule.get()].shadowed && overlap(*a.rule, *b.rule);
    }
    void add_tie(const Entry& a, const Entry& b) {
        const bool first = before(a, b);
        const RouteRule *winner = (first ? a : b).rule.get(), *loser = (first ? b : a).rule.get();
        if (!tied_.insert({winner, loser}).second) return;
        findings_.ties.push_back({winner, loser, std::string(a.pattern.text())});
    }
    bool compare() noexcept { return ++comparisons_ < comparison_limit; }

    RouterKind kind_;
    std::span<const Ref<const RouteRule>> routes_;
    std::deque<Entry> entries_;
    std::unordered_map<const RouteRule*, State> states_;
    std::unordered_map<std::string, List> lists_;
    std::set<std::pair<const RouteRule*, const RouteRule*>> tied_;
    std::size_t comparisons_ = 0;
    Findings findings_;
};

}  // namespace

Findings find_conflicts(RouterKind kind, std::span<const Ref<const RouteRule>> routes) {
    return Examination(kind, routes).run();
}

}  // namespace gateway::route
