#include "libgateway/config/delta.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace gateway::config {

namespace {

constexpr std::array<std::string_view, kind_count> lists{
    "settings",       "plugins",      "routes",        "services",        "upstreams",
    "plugin_configs", "global_rules", "consumers",     "consumer_groups", "plugin_metadata",
    "ssls",           "protos",       "stream_routes", "secrets",         "standalone"};

struct ChangeHeader {
    std::uint32_t size;  // of this header, id and text
    std::uint8_t kind, removed;
    std::uint16_t id_size;
    std::uint64_t order;
};

template <class T>
void append(std::vector<char>& out, const T& value) {
    const char* bytes = reinterpret_cast<const char*>(&value);
    out.insert(out.end(), bytes, bytes + sizeof value);
}

}  // namespace

bool is_listed(Kind kind) noexcept {
    return kind >= Kind::route && kind != Kind::standalone && !list_name(kind).empty();
}

bool is_idle(Kind kind) noexcept {
    return kind == Kind::proto || kind == Kind::stream_route || kind == Kind::secret;
}

std::string_view list_name(Kind kind) noexcept {
    return lists[static_cast<std::size_t>(kind)];
}

std::string_view kind_name(Kind kind) noexcept {
    const std::string_view list = list_name(kind);
    return kind > Kind::plugins && list.ends_with('s') ? list.substr(0, list.size() - 1) : list;
}

bool parse_kind(std::string_view text, Kind& kind) noexcept {
    for (std::size_t i = 0; i < lists.size(); ++i) {
        if (text.empty() || (text != lists[i] && text != kind_name(static_cast<Kind>(i)))) continue;
        kind = static_cast<Kind>(i);
        return true;
    }
    return false;
}

void Digest::add(const Hash128& hash) noexcept {
    low += hash.low;
    high += hash.high + (low < hash.low ? 1 : 0);
}

void Digest::remove(const Hash128& hash) noexcept {
    const std::uint64_t borrow = low < hash.low ? 1 : 0;
    low -= hash.low;
    high -= hash.high + borrow;
}

std::string Digest::text() const {
    return fmt::format("{:016x}{:016x}", high, low);
}

Hash128 hash_of(const Change& change) {
    thread_local std::string bytes;
    bytes.assign(1, static_cast<char>(change.kind));
    bytes.append(change.id).append(1, '\0');
    bytes.append(reinterpret_cast<const char*>(&change.order), sizeof change.order);
    bytes.append(change.json);
    return hash128(bytes);
}

void DeltaWriter::begin(std::uint64_t from, std::uint64_t to) {
    start_ = out_.size();
    header_ = {};
    header_.from = from;
    header_.to = to;
    append(out_, header_);
}

void DeltaWriter::add(const Change& change) {
    const ChangeHeader head{static_cast<std::uint32_t>(sizeof(ChangeHeader) + change.id.size() + change.json.size()),
                            static_cast<std::uint8_t>(change.kind), change.removed,
                            static_cast<std::uint16_t>(change.id.size()), change.order};
    append(out_, head);
    out_.insert(out_.end(), change.id.begin(), change.id.end());
    out_.insert(out_.end(), change.json.begin(), change.json.end());
    ++header_.count;
}

void DeltaWriter::finish(const Digest& digest) {
    header_.size = out_.size() - start_;
    header_.digest = digest;
    std::memcpy(out_.data() + start_, &header_, sizeof header_);
}

DeltaReader::DeltaReader(std::span<const char> bytes) noexcept {
    if (bytes.size() < sizeof header_) return;
    std::memcpy(&header_, bytes.data(), sizeof header_);
    ok_ = header_.magic == DeltaHeader{}.magic && header_.size >= sizeof header_ && header_.size <= bytes.size();
    if (!ok_) return;
    rest_ = bytes.subspan(sizeof header_, header_.size - sizeof header_);
    left_ = header_.count;
}

bool DeltaReader::next(Change& change) noexcept {
    if (!ok_ || left_ == 0) {
        ok_ = ok_ && rest_.empty();
        return false;
    }
    ChangeHeader head;
    ok_ = rest_.size() >= sizeof head;
    if (!ok_) return false;
    std::memcpy(&head, rest_.data(), sizeof head);
    ok_ = head.kind < kind_count && head.size >= sizeof head + head.id_size && head.size <= rest_.size();
    if (!ok_) return false;
    const char* text = rest_.data() + sizeof head;
    change = {static_cast<Kind>(head.kind),
              head.removed != 0,
              {text, head.id_size},
              head.order,
              {text + head.id_size, head.size - sizeof head - head.id_size}};
    rest_ = rest_.subspan(head.size);
    --left_;
    return true;
}

}  // namespace gateway::config
