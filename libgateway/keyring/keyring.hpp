// The keyring: which key encrypts what is stored, and how a stored text is read whichever key it was written with.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/keyring/key.hpp"

namespace gateway::keyring {

// How encrypted texts are written; both are read always.
enum class Form : std::uint8_t {
    reference,  // base64 of AES-CBC: what other programs with the same keys read
    sealed,     // "v2:", id of the key, ":", base64 of nonce, text and tag
};

// Whether a text that came out of an attempt is what was put in: wrong keys seem to fit now and then (tls.md 5.3).
using Accept = std::function<bool(std::string_view candidate)>;
// Valid UTF-8 without control characters; a PEM text may have line ends. For fields of plugins.
bool is_field_text(std::string_view candidate) noexcept;
// A private key in PEM, without a passphrase. For certificates.
bool is_private_key(std::string_view candidate);

// Keys that everybody knows: they are in the reference's documentation. They never encrypt.
bool is_published(std::string_view key) noexcept;

// Immutable once it is built; any thread may read.
class Keyring {
public:
    enum class Use : std::uint8_t { both, decrypt_only };
    struct Entry {
        Key key;
        Use use = Use::both;
        std::string source;  // where it was configured, for people
    };
    struct Opened {
        std::string text;
        std::size_t entry = 0;
        Form form = Form::reference;
    };

    // What is written; reading knows both.
    Form form = Form::sealed;

    // Tried in the order of adding; a key that is there already is not added again. Published keys are decrypt_only,
    // whatever `use` says. Throws std::invalid_argument for a key of a wrong size.
    void add(std::string_view bytes, Use use, std::string source);
    const std::vector<Entry>& entries() const noexcept { return entries_; }

    // The entry that encrypts: the first that may; null: texts are stored as they are.
    const Entry* writer() const noexcept;
    // Throws only if the crypto library fails.
    std::string encrypt(std::string_view plain) const;
    // Nothing if no key reads the text; it may be plain then.
    std::optional<Opened> decrypt(std::string_view stored, const Accept& accept = is_field_text) const;
    // Whether encrypt() would make this form with this key.
    bool is_current(const Opened& opened) const noexcept;

private:
    std::optional<Opened> open_sealed(std::string_view stored) const;
    std::vector<Entry> entries_;
};

// What a text that no key reads looks like.
enum class Shape : std::uint8_t {
    plain,   // cannot be anything else
    cbc,     // could have been encrypted in the reference's form, or be plain
    sealed,  // is in our form: nothing else looks like that
};
Shape shape_of(std::string_view stored);

}  // namespace gateway::keyring
