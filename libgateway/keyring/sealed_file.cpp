#include "libgateway/keyring/sealed_file.hpp"

#include <cstring>

namespace gateway::keyring {

namespace {

constexpr std::string_view mark = "GWSEAL1\n", purpose = "gateway: record ";

std::string_view view_of(std::span<const char> bytes) noexcept {
    return {bytes.data(), bytes.size()};
}

// Of size, id of the key and sealed bytes; the size counts both others.
std::optional<std::string> open_record(const Keyring& ring, std::string_view record) {
    const std::string_view id = record.substr(0, Key::id_size), sealed = record.substr(Key::id_size);
    for (const Keyring::Entry& entry : ring.entries()) {
        if (entry.key.id() != id) continue;
        if (auto plain = entry.key.open(sealed, std::string(purpose).append(id))) return plain;
    }
    return std::nullopt;
}

}  // namespace

std::vector<char> seal_record(const Keyring& ring, std::span<const char> bytes) {
    const Keyring::Entry* writer = ring.writer();
    if (!writer) return {bytes.begin(), bytes.end()};
    const std::string& id = writer->key.id();
    const std::string sealed = writer->key.seal(view_of(bytes), std::string(purpose).append(id));
    const auto size = static_cast<std::uint32_t>(id.size() + sealed.size());
    std::vector<char> record(sizeof size);
    std::memcpy(record.data(), &size, sizeof size);
    record.insert(record.end(), id.begin(), id.end());
    record.insert(record.end(), sealed.begin(), sealed.end());
    return record;
}

std::vector<char> seal_base(const Keyring& ring, std::span<const char> bytes) {
    std::vector<char> record = seal_record(ring, bytes);
    if (ring.writer()) record.insert(record.begin(), mark.begin(), mark.end());
    return record;
}

bool is_sealed(std::span<const char> file) noexcept {
    return view_of(file).starts_with(mark);
}

std::optional<std::vector<char>> open_records(const Keyring& ring, std::span<const char> file) {
    if (!is_sealed(file)) return std::nullopt;
    std::vector<char> all;
    std::string_view rest = view_of(file).substr(mark.size());
    for (bool first = true;; first = false) {
        std::uint32_t size = 0;
        if (rest.size() >= sizeof size) std::memcpy(&size, rest.data(), sizeof size);
        const bool whole = size >= Key::id_size && rest.size() - sizeof size >= size;
        const auto plain = whole ? open_record(ring, rest.substr(sizeof size, size)) : std::nullopt;
        if (!plain) return first ? std::nullopt : std::optional(std::move(all));
        all.insert(all.end(), plain->begin(), plain->end());
        rest.remove_prefix(sizeof size + size);
    }
}

}  // namespace gateway::keyring
