#include "libgateway/keyring/keyring.hpp"

#include <algorithm>
#include <array>

#include "libgateway/keyring/base64.hpp"

namespace gateway::keyring {

namespace {

constexpr std::string_view version = "v2:";
constexpr std::array<std::string_view, 2> published{"qeddd145sfvddff3", "edd1c9f0985e76a2"};

struct SealedText {
    std::string_view about;  // "v2:1a2b3c4d"
    std::string_view id;
    std::string bytes;
};

bool is_hex(std::string_view text) noexcept {
    return text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::optional<SealedText> read_sealed(std::string_view stored) {
    const std::size_t head = version.size() + Key::id_size;
    if (!stored.starts_with(version) || stored.size() <= head || stored[head] != ':') return std::nullopt;
    SealedText text{stored.substr(0, head), stored.substr(version.size(), Key::id_size), {}};
    auto bytes = is_hex(text.id) ? decode_base64(stored.substr(head + 1)) : std::nullopt;
    if (!bytes) return std::nullopt;
    text.bytes = std::move(*bytes);
    return text;
}

// Length of the UTF-8 sequence at the start (RFC 3629), 0 if there is none.
std::size_t sequence_size(std::string_view text) noexcept {
    const auto byte = [&text](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned first = byte(0), second = byte(1);
    const auto follows = [&byte](std::size_t at) { return (byte(at) & 0xC0) == 0x80; };
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first < 0xF0) {
        const bool good = !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second >= 0xA0);
        return good && follows(1) && follows(2) ? 3 : 0;
    }
    const bool good =
        first >= 0xF0 && first < 0xF5 && !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second >= 0x90);
    return good && follows(1) && follows(2) && follows(3) ? 4 : 0;
}

bool is_control(std::string_view character) noexcept {
    const auto first = static_cast<unsigned char>(character[0]);
    const bool of_latin1 = first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
    return first < 0x20 || first == 0x7F || of_latin1;
}

}  // namespace

bool is_field_text(std::string_view candidate) noexcept {
    const bool pem = candidate.starts_with("-----BEGIN ");
    while (!candidate.empty()) {
        const std::size_t size = sequence_size(candidate);
        if (size == 0) return false;
        const bool line_end = candidate[0] == '\n' || candidate[0] == '\r';
        if (is_control(candidate.substr(0, size)) && !(pem && line_end)) return false;
        candidate.remove_prefix(size);
    }
    return true;
}

bool is_published(std::string_view key) noexcept {
    return std::find(published.begin(), published.end(), key) != published.end();
}

void Keyring::add(std::string_view bytes, Use use, std::string source) {
    Key key(bytes);
    const auto same = [&key](const Entry& entry) { return entry.key == key; };
    if (std::any_of(entries_.begin(), entries_.end(), same)) return;
    entries_.push_back({std::move(key), is_published(bytes) ? Use::decrypt_only : use, std::move(source)});
}

const Keyring::Entry* Keyring::writer() const noexcept {
    for (const Entry& entry : entries_) {
        if (entry.use == Use::both) return &entry;
    }
    return nullptr;
}

std::string Keyring::encrypt(std::string_view plain) const {
    const Entry* entry = writer();
    if (!entry) return std::string(plain);
    if (form == Form::reference) return encode_base64(entry->key.encrypt_cbc(plain));
    const std::string about = std::string(version) + entry->key.id();
    return about + ":" + encode_base64(entry->key.seal(plain, about));
}

// What is authenticated needs no judge.
std::optional<Keyring::Opened> Keyring::open_sealed(std::string_view stored) const {
    const auto text = read_sealed(stored);
    if (!text) return std::nullopt;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].key.id() != text->id) continue;
        auto plain = entries_[i].key.open(text->bytes, text->about);
        if (plain) return Opened{std::move(*plain), i, Form::sealed};
    }
    return std::nullopt;
}

std::optional<Keyring::Opened> Keyring::decrypt(std::string_view stored, const Accept& accept) const {
    if (stored.starts_with(version)) return open_sealed(stored);
    const auto bytes = decode_base64(stored);
    if (!bytes) return std::nullopt;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        auto plain = entries_[i].key.decrypt_cbc(*bytes);
        if (plain && accept(*plain)) return Opened{std::move(*plain), i, Form::reference};
    }
    return std::nullopt;
}

bool Keyring::is_current(const Opened& opened) const noexcept {
    return writer() == &entries_[opened.entry] && opened.form == form;
}

Shape shape_of(std::string_view stored) {
    if (stored.starts_with(version)) return read_sealed(stored) ? Shape::sealed : Shape::plain;
    const auto bytes = decode_base64(stored);
    return bytes && !bytes->empty() && bytes->size() % 16 == 0 ? Shape::cbc : Shape::plain;
}

}  // namespace gateway::keyring
