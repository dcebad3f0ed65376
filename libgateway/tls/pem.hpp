// Certificates and keys as bytes: what stands in PEM texts, taken out without being understood.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::tls {

// Bytes of a private key; wiped when they go.
class SecretBytes {
public:
    SecretBytes() = default;
    explicit SecretBytes(std::string bytes) noexcept : bytes_(std::move(bytes)) {}
    SecretBytes(const SecretBytes&) = default;
    SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    SecretBytes& operator=(SecretBytes other) noexcept {
        bytes_.swap(other.bytes_);
        return *this;
    }
    ~SecretBytes();
    std::string_view view() const noexcept { return bytes_; }
    bool empty() const noexcept { return bytes_.empty(); }

private:
    std::string bytes_;
};

// DER, not looked into yet.
struct PairBytes {
    std::vector<std::string> chain;  // leaf first; not empty
    SecretBytes key;
};

inline constexpr std::string_view certificate_refusal = "failed to parse cert: PEM_read_bio_X509_AUX() failed";
inline constexpr std::string_view key_refusal = "failed to parse key: PEM_read_bio_PrivateKey() failed";

// All certificates of a text, in its order; `problem` is empty if each of them could be read. Other blocks are skipped.
std::vector<std::string> certificates_of(std::string_view pem, std::string& problem);
// The first private key of a text; empty if there is none, or if it needs a passphrase.
SecretBytes private_key_of(std::string_view pem);
// Both; `problem` in the reference's words, empty if there is none. Leaves OpenSSL's error queue empty, as all here do.
PairBytes read_pair(std::string_view certificate, std::string_view key, std::string& problem);

}  // namespace gateway::tls
