#include "libgateway/route/router.hpp"

#include "libgateway/route/condition.hpp"
#include "libgateway/route/search.hpp"

namespace gateway::route {
namespace {

Ref<const Entry> make_entry(const Ref<const RouteRule>& rule, std::size_t uri, bool parameters) {
    Ref<Entry> entry = make_ref<Entry>();
    entry->rule = rule;
    entry->pattern = Pattern::parse(rule->uris[uri], parameters);
    entry->uri = static_cast<std::uint32_t>(uri);
    return entry;
}

SlotKind slot_of(const Pattern& pattern) noexcept {
    return pattern.kind() == PatternKind::exact ? SlotKind::exact : SlotKind::prefix;
}

const std::vector<std::string> any_host;

// Calls change(group, hosts to file the entry under) in every group of the entry.
template <class Change>
void update(RouterKind kind, PathIndex& paths, HostTable& hosts, const Entry& entry, Change change) {
    const std::string_view key = entry.pattern.literal();
    const SlotKind slot = slot_of(entry.pattern);
    if (kind != RouterKind::host_uri || entry.rule->hosts.empty()) {
        paths.update(key, slot, [&](EntryGroup& group) { change(group, entry.rule->hosts); });
        return;
    }
    for (const std::string& host : entry.rule->hosts) {
        hosts.update(host, [&](PathIndex& index) {
            index.update(key, slot, [&](EntryGroup& group) { change(group, any_host); });
        });
    }
}

}  // namespace

std::optional<RouterKind> router_kind(std::string_view name) noexcept {
    if (name == "radixtree_uri") return RouterKind::uri;
    if (name == "radixtree_uri_with_parameter") return RouterKind::uri_with_parameter;
    if (name == "radixtree_host_uri") return RouterKind::host_uri;
    return std::nullopt;
}

void Router::add(const Ref<const RouteRule>& rule) {
    for (std::size_t i = 0; i < rule->uris.size(); ++i) {
        const Ref<const Entry> entry = make_entry(rule, i, kind_ == RouterKind::uri_with_parameter);
        update(kind_, paths_, hosts_, *entry,
               [&](EntryGroup& group, const std::vector<std::string>& hosts) { group.insert(entry, hosts); });
    }
    ++size_;
}

void Router::remove(const Ref<const RouteRule>& rule) {
    bool found = false;
    for (std::size_t i = 0; i < rule->uris.size(); ++i) {
        const Ref<const Entry> entry = make_entry(rule, i, kind_ == RouterKind::uri_with_parameter);
        update(kind_, paths_, hosts_, *entry,
               [&](EntryGroup& group, const std::vector<std::string>& hosts) { found |= group.erase(*entry, hosts); });
    }
    size_ -= found ? 1 : 0;
}

RouteMatch Router::find(const MatchInput& input, MatchObserver* observer) const {
    const Entry* taken = nullptr;
    if (!observer) {
        taken = search_all(*this, input, [&](const Entry& entry) { return holds(entry, input); });
    } else {
        taken = search_all(*this, input, [&](const Entry& entry) {
            const std::string failed = first_failure(entry, input);
            if (failed.empty()) {
                observer->taken(entry);
            } else {
                observer->rejected(entry, failed);
            }
            return failed.empty();
        });
    }
    return taken ? RouteMatch(Ref<const Entry>(taken), input.path) : RouteMatch();
}

}  // namespace gateway::route
