// One key, and the two forms in which a text is encrypted with it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::keyring {

// The bytes are wiped when the key goes. Nothing here throws for a text that does not fit: that is a normal miss, and
// leaves nothing behind in the error queue of the crypto library.
class Key {
public:
    static constexpr std::size_t id_size = 8;
    // 16 bytes: AES-128, 32 bytes: AES-256.
    static constexpr bool is_size(std::size_t bytes) noexcept { return bytes == 16 || bytes == 32; }
    // Throws std::invalid_argument for another length; the text says nothing of the key.
    explicit Key(std::string_view bytes);
    Key(Key&&) noexcept = default;
    Key& operator=(Key&&) noexcept = default;
    ~Key();

    // Eight digits that tell keys apart and tell nothing about them.
    const std::string& id() const noexcept { return id_; }
    bool operator==(const Key& other) const noexcept { return bytes_ == other.bytes_; }

    // The reference's form without its base64: AES-CBC, the first 16 bytes of the key as IV, PKCS#7. Not authenticated:
    // of 256 wrong keys about one seems to fit.
    std::string encrypt_cbc(std::string_view plain) const;
    std::optional<std::string> decrypt_cbc(std::string_view bytes) const;

    // Ours: nonce, text and tag of AES-256-GCM under a key derived from this one; `about` is authenticated too.
    std::string seal(std::string_view plain, std::string_view about) const;
    std::optional<std::string> open(std::string_view sealed, std::string_view about) const;

private:
    std::string bytes_, sealing_, id_;
};

// Throws std::runtime_error if the machine gives no random bytes.
void random_bytes(void* out, std::size_t size);

}  // namespace gateway::keyring
