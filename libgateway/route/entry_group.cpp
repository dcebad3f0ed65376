#include "libgateway/route/entry_group.hpp"

namespace gateway::route {

HostPattern HostPattern::of(std::string_view pattern) noexcept {
    HostPattern out;
    out.raw = pattern.find(':') != std::string_view::npos;
    if (!pattern.empty() && pattern.front() == '*') {
        out.kind = SlotKind::prefix;
        pattern.remove_prefix(1);
    }
    out.text = pattern;
    return out;
}

void EntryGroup::own_hosts() {
    if (!hosts_) {
        hosts_ = make_ref<Hosts>();
    } else if (hosts_->use_count() > 1) {
        hosts_ = make_ref<Hosts>(*hosts_);
    }
}

void EntryGroup::insert(const Ref<const Entry>& entry, const std::vector<std::string>& hosts) {
    if (hosts.empty()) return any_.insert(entry);
    own_hosts();
    for (const std::string& host : hosts) {
        const HostPattern pattern = HostPattern::of(host);
        (pattern.raw ? hosts_->raw : hosts_->plain)
            .update(RawReverseKey(pattern.text).text(), pattern.kind, [&](EntryList& list) { list.insert(entry); });
    }
}

bool EntryGroup::erase(const Entry& entry, const std::vector<std::string>& hosts) {
    if (hosts.empty()) return any_.erase(entry);
    if (!hosts_) return false;
    bool found = false;
    own_hosts();
    for (const std::string& host : hosts) {
        const HostPattern pattern = HostPattern::of(host);
        (pattern.raw ? hosts_->raw : hosts_->plain)
            .update(RawReverseKey(pattern.text).text(), pattern.kind,
                    [&](EntryList& list) { found |= list.erase(entry); });
    }
    if (hosts_->plain.empty() && hosts_->raw.empty()) hosts_ = nullptr;
    return found;
}

EntryGroup::Merge::Merge(const EntryGroup& group, std::string_view host, std::string_view raw_host) noexcept
    : group_(group), host_(host), raw_host_(raw_host) {
    group_.each_list(host, raw_host, [this](const EntryList& list) {
        if (count_ < sources_.size()) sources_[count_] = {&list, list.first()};
        ++count_;
    });
}

// One entry may be in several lists: equal heads move on together.
const Entry* EntryGroup::Merge::next() noexcept {
    if (count_ > sources_.size()) return last_ = next_of_many();
    const Entry* best = nullptr;
    for (std::size_t i = 0; i < count_; ++i) {
        Source& source = sources_[i];
        if (source.head && source.head == last_) source.head = source.list->after(*last_);
        if (source.head && (!best || before(*source.head, *best))) best = source.head;
    }
    return last_ = best;
}

// More patterns cover this host than there is room for: look at all of them again for each entry.
const Entry* EntryGroup::Merge::next_of_many() const noexcept {
    const Entry* best = nullptr;
    group_.each_list(host_, raw_host_, [&](const EntryList& list) {
        const Entry* head = last_ ? list.after(*last_) : list.first();
        if (head && (!best || before(*head, *best))) best = head;
    });
    return best;
}

}  // namespace gateway::route
