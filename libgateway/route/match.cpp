#include "libgateway/route/match.hpp"

#include "libgateway/base/strings.hpp"
#include "libgateway/route/entry_group.hpp"

namespace gateway::route {

bool host_covers(std::string_view pattern, std::string_view host, std::string_view raw_host) noexcept {
    const HostPattern wanted = HostPattern::of(pattern);
    std::string_view have = wanted.raw ? raw_host : host;
    if (have.size() < wanted.text.size()) return false;
    if (wanted.kind == SlotKind::prefix) have.remove_prefix(have.size() - wanted.text.size());
    return iequals(have, wanted.text);
}

// As the host router ranks them: an exact pattern first, else the longest wildcard.
std::string_view RouteMatch::host(const MatchInput& input) const noexcept {
    std::string_view best;
    if (!entry_) return input.host;
    for (const std::string& pattern : entry_->rule->hosts) {
        if (!host_covers(pattern, input.host, input.raw_host)) continue;
        if (pattern.front() != '*') return input.host;
        if (pattern.size() > best.size()) best = pattern;
    }
    return best.empty() ? input.host : best;
}

}  // namespace gateway::route
