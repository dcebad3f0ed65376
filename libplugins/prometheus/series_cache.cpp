#include "libplugins/prometheus/series_cache.hpp"

#include <cstring>

namespace gateway::plugins {

namespace {

constexpr std::uint64_t odd = 0x9E3779B97F4A7C15u;

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
    hash = (hash ^ word) * odd;
    return hash ^ (hash >> 29);
}

template <class Word>
std::uint64_t word_at(const char* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    if (text.size() >= 8) {
        for (; end - at > 8; at += 8) hash = mix(hash, word_at<std::uint64_t>(at));
        hash = mix(hash, word_at<std::uint64_t>(end - 8));  // may hash some bytes twice
    } else if (text.size() >= 4) {
        hash = mix(hash, word_at<std::uint32_t>(at) << 32 | word_at<std::uint32_t>(end - 4));
    } else {
        for (; at != end; ++at) hash = hash << 8 | static_cast<unsigned char>(*at);
    }
    return mix(hash, text.size());
}

}  // namespace

std::uint64_t SeriesCase::hash() const noexcept {
    std::uint64_t hash = mix(route, reinterpret_cast<std::uintptr_t>(pattern));
    hash = mix(hash, reinterpret_cast<std::uintptr_t>(source) + status);
    for (const std::string_view text : texts) {
        if (!text.empty()) hash = mix(hash, text);
    }
    return hash;
}

bool SeriesCache::matches(const Entry& entry, const SeriesCase& wanted) noexcept {
    if (entry.route != wanted.route || entry.pattern != wanted.pattern || entry.source != wanted.source) return false;
    if (entry.status != wanted.status) return false;
    for (std::size_t i = 0; i < wanted.texts.size(); ++i) {
        const std::string_view text = wanted.texts[i];
        if (entry.texts[i].size() != text.size()) return false;
        if (!text.empty() && std::memcmp(entry.texts[i].data(), text.data(), text.size()) != 0) return false;
    }
    return true;
}

const SeriesSet* SeriesCache::find(const SeriesCase& wanted, std::uint64_t hash) const noexcept {
    if (slots_.empty()) return nullptr;
    for (std::size_t at = hash & (slots_.size() - 1); slots_[at]; at = (at + 1) & (slots_.size() - 1)) {
        if (slots_[at]->hash == hash && matches(*slots_[at], wanted)) return &slots_[at]->set;
    }
    return nullptr;
}

const SeriesSet& SeriesCache::add(const SeriesCase& known, std::uint64_t hash, const SeriesSet& set) {
    if (count_ >= most) {
        slots_.clear();
        count_ = 0;
    }
    if (slots_.size() < 2 * (count_ + 1)) grow();
    auto entry = std::make_unique<Entry>();
    entry->hash = hash;
    entry->route = known.route;
    entry->pattern = known.pattern;
    entry->source = known.source;
    entry->status = known.status;
    for (std::size_t i = 0; i < known.texts.size(); ++i) entry->texts[i] = known.texts[i];
    entry->set = set;
    const SeriesSet& kept = entry->set;
    place(std::move(entry));
    ++count_;
    return kept;
}

void SeriesCache::place(std::unique_ptr<Entry> entry) noexcept {
    std::size_t at = entry->hash & (slots_.size() - 1);
    while (slots_[at]) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = std::move(entry);
}

void SeriesCache::grow() {
    std::vector<std::unique_ptr<Entry>> before = std::move(slots_);
    slots_ = std::vector<std::unique_ptr<Entry>>(before.empty() ? 8 : 2 * before.size());
    for (auto& entry : before) {
        if (entry) place(std::move(entry));
    }
}

}  // namespace gateway::plugins
