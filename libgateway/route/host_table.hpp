// Host first, then path: the groups of radixtree_host_uri in the order of router.md 5.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/route/entry_group.hpp"
#include "libgateway/route/radix_tree.hpp"

namespace gateway::route {

// The path groups of one router, or of one host. A value whose copies share everything.
using PathIndex = RadixTree<EntryGroup>;

class HostTable {
public:
    bool empty() const noexcept { return plain_.empty() && raw_.empty(); }

    template <class Change>
    void update(std::string_view pattern, Change&& change) {
        const HostPattern host = HostPattern::of(pattern);
        (host.raw ? raw_ : plain_).update(RawReverseKey(host.text).text(), host.kind, change);
    }

    // The path indexes of patterns that cover the host: exact with port, exact, wildcards with port, wildcards, each
    // longest first; until one answers true.
    template <class Visit>
    bool visit(std::string_view host, std::string_view raw_host, Visit&& visit) const {
        if (raw_.empty()) return plain_.visit(ReverseKey(host), visit);
        const PathIndex* exact = raw_.exact(RawReverseKey(raw_host));
        if (exact && visit(*exact)) return true;
        exact = plain_.exact(ReverseKey(host));
        if (exact && visit(*exact)) return true;
        return raw_.visit_prefixes(RawReverseKey(raw_host), visit) || plain_.visit_prefixes(ReverseKey(host), visit);
    }
    template <class Visit>
    bool visit_all(Visit&& visit) const {
        return raw_.visit_all(visit) || plain_.visit_all(visit);
    }

private:
    RadixTree<PathIndex> plain_, raw_;
};

}  // namespace gateway::route
