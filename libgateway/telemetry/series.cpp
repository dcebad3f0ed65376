#include "libgateway/telemetry/series.hpp"

#include <algorithm>
#include <cstring>

#include "libgateway/base/hash.hpp"

namespace gateway::telemetry {

namespace {

constexpr std::size_t most_label = 2048;

constexpr std::size_t size_of(const SeriesName& name) noexcept {
    return sizeof(Series) + name.cells * sizeof(Counter) + ((name.labels.size() + 7) & ~std::size_t{7});
}

}  // namespace

void append_label(std::string& labels, std::string_view value) {
    value = value.substr(0, most_label);
    const auto size = static_cast<std::uint16_t>(value.size());
    labels.append(reinterpret_cast<const char*>(&size), sizeof size).append(value);
}

bool next_label(std::string_view& labels, std::string_view& value) noexcept {
    std::uint16_t size = 0;
    if (labels.size() < sizeof size) return false;
    std::memcpy(&size, labels.data(), sizeof size);
    if (labels.size() - sizeof size < size) return false;
    value = labels.substr(sizeof size, size);
    labels.remove_prefix(sizeof size + size);
    return true;
}

SeriesWriter::SeriesWriter(std::span<std::byte> page) : page_(page) {
    if (page_.size() < sizeof(SeriesHead)) return;
    head_ = reinterpret_cast<SeriesHead*>(page_.data());
    if (head_->version.load(std::memory_order_acquire) != current_version) {
        head_->used.store(0, std::memory_order_relaxed);
        head_->count.store(0, std::memory_order_relaxed);
        head_->version.store(current_version, std::memory_order_release);
    }
    refused_ = head_->refused.load(std::memory_order_relaxed);
    take_over();
}

// Gauges counted what the earlier worker had in hand.
void SeriesWriter::take_over() {
    std::size_t at = sizeof(SeriesHead);
    for (SeriesReader reader(page_); reader.next();) {
        auto* series = reinterpret_cast<Series*>(page_.data() + at);
        at += series->size_;
        if (is_gauge(reader.name().kind)) set(series->cell(0), 0);
        known_.emplace(hash_of(reader.name()), series);
    }
    head_->used.store(at - sizeof(SeriesHead), std::memory_order_release);
    head_->count.store(known_.size(), std::memory_order_relaxed);
}

std::uint64_t SeriesWriter::hash_of(const SeriesName& name) noexcept {
    return hash128(name.labels, {static_cast<std::uint64_t>(name.kind) << 32 | name.variant, name.cells}).low;
}

SeriesName SeriesWriter::name_of(const Series& series) noexcept {
    const auto* labels = reinterpret_cast<const char*>(&series + 1) + series.cells_ * sizeof(Counter);
    return {static_cast<SeriesKind>(series.kind_), series.variant_, series.cells_, {labels, series.label_bytes_}};
}

Series* SeriesWriter::find_or_add(const SeriesName& name) {
    if (!head_) return nullptr;
    const std::uint64_t hash = hash_of(name);
    const auto [first, last] = known_.equal_range(hash);
    for (auto it = first; it != last; ++it) {
        const SeriesName have = name_of(*it->second);
        const bool same = have.kind == name.kind && have.variant == name.variant && have.cells == name.cells;
        if (same && have.labels == name.labels) return it->second;
    }
    return add(name, hash);
}

Series* SeriesWriter::add(const SeriesName& name, std::uint64_t hash) {
    const std::uint64_t used = head_->used.load(std::memory_order_relaxed);
    const std::size_t size = size_of(name), room = page_.size() - sizeof(SeriesHead);
    if (used > room || size > room - used || known_.size() >= most_series) {
        head_->refused.store(++refused_, std::memory_order_relaxed);
        return nullptr;
    }
    std::byte* place = page_.data() + sizeof(SeriesHead) + used;
    auto* series = reinterpret_cast<Series*>(place);
    series->size_ = static_cast<std::uint32_t>(size);
    series->cells_ = name.cells;
    series->variant_ = name.variant;
    series->label_bytes_ = static_cast<std::uint32_t>(name.labels.size());
    series->kind_ = static_cast<std::uint16_t>(name.kind);
    series->reserved_ = 0;
    series->touch(0);
    // What a worker that died while it was adding may have left here.
    std::memset(place + sizeof(Series), 0, size - sizeof(Series));
    std::memcpy(place + sizeof(Series) + name.cells * sizeof(Counter), name.labels.data(), name.labels.size());
    known_.emplace(hash, series);
    head_->count.store(known_.size(), std::memory_order_relaxed);
    head_->used.store(used + size, std::memory_order_release);
    return series;
}

SeriesReader::SeriesReader(std::span<const std::byte> page) noexcept : page_(page) {
    if (page_.size() < sizeof(SeriesHead)) return;
    const auto* head = reinterpret_cast<const SeriesHead*>(page_.data());
    if (head->version.load(std::memory_order_acquire) != SeriesWriter::current_version) return;
    refused_ = head->refused.load(std::memory_order_relaxed);
    used_ = std::min<std::uint64_t>(head->used.load(std::memory_order_acquire), page_.size() - sizeof(SeriesHead));
}

bool SeriesReader::next() noexcept {
    const std::size_t left = sizeof(SeriesHead) + used_ - at_;
    if (left < sizeof(Series) || left > used_) return false;
    current_ = reinterpret_cast<const Series*>(page_.data() + at_);
    const std::size_t size = current_->size_, cells = current_->cells_, labels = current_->label_bytes_;
    if (size < sizeof(Series) || size > left || size % 8 != 0) return false;
    const std::size_t body = size - sizeof(Series);
    if (cells == 0 || cells > body / sizeof(Counter) || labels > body - cells * sizeof(Counter)) return false;
    const auto* text = reinterpret_cast<const char*>(current_ + 1) + cells * sizeof(Counter);
    name_ = {static_cast<SeriesKind>(current_->kind_),
             current_->variant_,
             static_cast<std::uint32_t>(cells),
             {text, labels}};
    at_ += size;
    return true;
}

std::uint64_t SeriesReader::cell(std::size_t index) const noexcept {
    if (index >= name_.cells) return 0;
    return get(reinterpret_cast<const Counter*>(current_ + 1)[index]);
}

}  // namespace gateway::telemetry
