#include "libgateway/store/difference.hpp"

#include <zlib.h>

#include <array>
#include <cstring>
#include <new>

#include "libgateway/store/database.hpp"

namespace gateway::store {

namespace {

constexpr int quick = 1;                          // a whole route file is worth little more at higher levels
constexpr std::uint64_t most_bytes = 1ull << 30;  // unpacked
// In the place of the size of what is compressed: what follows is not, since a compressor's 260 KiB of tables cost more
// than they save there.
constexpr std::uint64_t as_it_is = ~std::uint64_t{0};
constexpr std::size_t too_small = 2048;
constexpr std::uint8_t has_before = 1, has_after = 2;

void add_number(std::string& out, std::uint64_t number) {
    std::array<char, sizeof number> bytes;
    std::memcpy(bytes.data(), &number, sizeof number);
    out.append(bytes.data(), bytes.size());
}

void add_text(std::string& out, std::string_view text) {
    add_number(out, text.size());
    out.append(text);
}

void add_side(std::string& out, const Side& side) {
    add_text(out, side.json);
    add_number(out, side.order);
    add_number(out, static_cast<std::uint64_t>(side.expires_ms));
}

[[noreturn]] void damaged() {
    throw Failure("a difference in the history is damaged");
}

class Reader {
public:
    explicit Reader(std::string_view bytes) noexcept : rest_(bytes) {}
    bool at_end() const noexcept { return rest_.empty(); }
    std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
    std::uint64_t number() {
        std::uint64_t value = 0;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::string text() { return std::string(take(number())); }
    Side side() {
        Side side;
        side.json = text();
        side.order = number();
        side.expires_ms = static_cast<std::int64_t>(number());
        return side;
    }

private:
    std::string_view take(std::uint64_t size) {
        if (size > rest_.size()) damaged();
        const std::string_view part = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return part;
    }
    std::string_view rest_;
};

std::uint64_t checksum(std::string_view plain) {
    return ::crc32_z(0, reinterpret_cast<const Bytef*>(plain.data()), plain.size());
}

std::string deflate(std::string_view plain) {
    std::string packed;
    if (plain.size() < too_small) {
        add_number(packed, as_it_is);
        add_number(packed, checksum(plain));
        add_text(packed, plain);
        return packed;
    }
    add_number(packed, plain.size());
    uLongf size = ::compressBound(plain.size());
    packed.resize(sizeof(std::uint64_t) + size);
    const int result = ::compress2(reinterpret_cast<Bytef*>(packed.data()) + sizeof(std::uint64_t), &size,
                                   reinterpret_cast<const Bytef*>(plain.data()), plain.size(), quick);
    if (result != Z_OK) throw std::bad_alloc();
    packed.resize(sizeof(std::uint64_t) + size);
    return packed;
}

std::string inflate(std::string_view bytes) {
    Reader head(bytes);
    const std::uint64_t size = head.number();
    if (size == as_it_is) {
        const std::uint64_t sum = head.number();
        std::string plain = head.text();
        if (!head.at_end() || checksum(plain) != sum) damaged();
        return plain;
    }
    bytes.remove_prefix(sizeof size);
    if (size > most_bytes) damaged();
    std::string plain(size, '\0');
    uLongf filled = plain.size();
    const int result = ::uncompress(reinterpret_cast<Bytef*>(plain.data()), &filled,
                                    reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    if (result != Z_OK || filled != size) damaged();
    return plain;
}

ObjectChange read_change(Reader& reader) {
    ObjectChange change;
    const std::uint8_t layer = reader.byte(), kind = reader.byte(), sides = reader.byte();
    if (layer > 1 || kind >= config::kind_count) damaged();
    change.layer = static_cast<Layer>(layer);
    change.kind = static_cast<config::Kind>(kind);
    change.id = reader.text();
    if (sides & has_before) change.before = reader.side();
    if (sides & has_after) change.after = reader.side();
    return change;
}

}  // namespace

std::string pack(const Difference& difference) {
    std::string plain;
    for (const ObjectChange& change : difference) {
        const int sides = (change.before ? has_before : 0) | (change.after ? has_after : 0);
        plain += static_cast<char>(change.layer);
        plain += static_cast<char>(change.kind);
        plain += static_cast<char>(sides);
        add_text(plain, change.id);
        if (change.before) add_side(plain, *change.before);
        if (change.after) add_side(plain, *change.after);
    }
    return deflate(plain);
}

Difference unpack(std::string_view bytes) {
    const std::string plain = inflate(bytes);
    Reader reader(plain);
    Difference difference;
    while (!reader.at_end()) difference.push_back(read_change(reader));
    return difference;
}

}  // namespace gateway::store
