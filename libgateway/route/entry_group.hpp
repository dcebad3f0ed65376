// All entries of one path group (same exact path, or same literal prefix), found by host in their common order.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/route/entry_list.hpp"
#include "libgateway/route/radix_tree.hpp"

namespace gateway::route {

// A host pattern as the indexes see it: patterns with a port live apart, since they look at the raw Host.
struct HostPattern {
    std::string_view text;  // without the leading `*`
    SlotKind kind = SlotKind::exact;
    bool raw = false;
    static HostPattern of(std::string_view pattern) noexcept;
};

// A value whose copies share everything. Entries without hosts are in one list; the others in a list per host pattern,
// in a tree over the host read backwards, so that 100,000 hosts on one path cost O(log n) to match and to change.
class EntryGroup {
public:
    bool empty() const noexcept { return any_.empty() && !hosts_; }

    // Under each of `hosts`, or for any host if there are none.
    void insert(const Ref<const Entry>& entry, const std::vector<std::string>& hosts);
    // Whether it was there.
    bool erase(const Entry& entry, const std::vector<std::string>& hosts);

    // The first entry, in order, that covers the host and that `accept(entry)` takes; null if there is none.
    template <class Accept>
    const Entry* find(std::string_view host, std::string_view raw_host, Accept&& accept) const {
        if (hosts_) return find_by_host(host, raw_host, accept);
        for (const Entry* entry = any_.first(); entry; entry = any_.after(*entry)) {
            if (accept(*entry)) return entry;
        }
        return nullptr;
    }

    // Every entry, whatever its host, until one answers true; an entry with several hosts comes several times.
    template <class Visit>
    bool visit_all(Visit&& visit) const {
        const auto whole = [&](const EntryList& list) {
            for (const Entry* entry = list.first(); entry; entry = list.after(*entry)) {
                if (visit(*entry)) return true;
            }
            return false;
        };
        return whole(any_) || (hosts_ && (hosts_->plain.visit_all(whole) || hosts_->raw.visit_all(whole)));
    }

private:
    struct Hosts : RefCounted {
        RadixTree<EntryList> plain, raw;
    };
    // Walks the lists that cover one host as if they were one.
    class Merge {
    public:
        Merge(const EntryGroup& group, std::string_view host, std::string_view raw_host) noexcept;
        const Entry* next() noexcept;

    private:
        struct Source {
            const EntryList* list;
            const Entry* head;
        };
        const Entry* next_of_many() const noexcept;
        const EntryGroup& group_;
        const std::string_view host_, raw_host_;
        std::array<Source, 16> sources_;
        std::size_t count_ = 0;
        const Entry* last_ = nullptr;
    };
    template <class Each>
    void each_list(std::string_view host, std::string_view raw_host, Each&& each) const {
        if (!any_.empty()) each(any_);
        hosts_->plain.each_covering(ReverseKey(host), each);
        if (!hosts_->raw.empty()) hosts_->raw.each_covering(RawReverseKey(raw_host), each);
    }
    template <class Accept>
    const Entry* find_by_host(std::string_view host, std::string_view raw_host, Accept& accept) const {
        Merge merge(*this, host, raw_host);
        while (const Entry* entry = merge.next()) {
            if (accept(*entry)) return entry;
        }
        return nullptr;
    }
    void own_hosts();

    EntryList any_;
    Ref<Hosts> hosts_;
};

}  // namespace gateway::route
