#include "libgateway/keyring/key.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <climits>
#include <memory>
#include <stdexcept>

namespace gateway::keyring {

namespace {

constexpr std::size_t block_size = 16, nonce_size = 12, tag_size = 16;

struct ContextGone {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextGone>;

Context new_context() {
    Context context(EVP_CIPHER_CTX_new());
    if (!context) throw std::bad_alloc();
    return context;
}

const unsigned char* in(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* out(std::string& text, std::size_t at = 0) noexcept {
    return reinterpret_cast<unsigned char*>(text.data()) + at;
}
int length(std::string_view text) {
    if (text.size() > INT_MAX / 2) throw std::length_error("text too long to be encrypted");
    return static_cast<int>(text.size());
}

[[noreturn]] void cannot(const char* what) {
    ERR_clear_error();
    throw std::runtime_error(std::string("the crypto library cannot ") + what);
}

std::string derive(std::string_view key, std::string_view purpose) {
    std::string made(32, '\0');
    unsigned size = 0;
    if (!HMAC(EVP_sha256(), key.data(), length(key), in(purpose), purpose.size(), out(made), &size)) {
        cannot("derive a key");
    }
    return made;
}

std::string hex_of(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        text.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4]);
        text.push_back("0123456789abcdef"[c & 15]);
    }
    return text;
}

const EVP_CIPHER* cbc_for(std::string_view key) noexcept {
    return key.size() == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
}

void wipe(std::string& bytes) noexcept {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

}  // namespace

Key::Key(std::string_view bytes) : bytes_(bytes) {
    if (!is_size(bytes.size())) throw std::invalid_argument("a key has 16 or 32 bytes");
    sealing_ = derive(bytes, "gateway: AES-256-GCM");
    id_ = hex_of(derive(bytes, "gateway: id of a key").substr(0, id_size / 2));
}

Key::~Key() {
    wipe(bytes_);
    wipe(sealing_);
}

std::string Key::encrypt_cbc(std::string_view plain) const {
    const Context context = new_context();
    std::string bytes(plain.size() + block_size, '\0');
    int first = 0, last = 0;
    const bool done = EVP_EncryptInit_ex(context.get(), cbc_for(bytes_), nullptr, in(bytes_), in(bytes_)) == 1 &&
                      EVP_EncryptUpdate(context.get(), out(bytes), &first, in(plain), length(plain)) == 1 &&
                      EVP_EncryptFinal_ex(context.get(), out(bytes, static_cast<std::size_t>(first)), &last) == 1;
    if (!done) cannot("encrypt");
    bytes.resize(static_cast<std::size_t>(first + last));
    return bytes;
}

std::optional<std::string> Key::decrypt_cbc(std::string_view bytes) const {
    if (bytes.empty() || bytes.size() % block_size != 0) return std::nullopt;
    const Context context = new_context();
    std::string plain(bytes.size() + block_size, '\0');
    int first = 0, last = 0;
    const bool done = EVP_DecryptInit_ex(context.get(), cbc_for(bytes_), nullptr, in(bytes_), in(bytes_)) == 1 &&
                      EVP_DecryptUpdate(context.get(), out(plain), &first, in(bytes), length(bytes)) == 1 &&
                      EVP_DecryptFinal_ex(context.get(), out(plain, static_cast<std::size_t>(first)), &last) == 1;
    if (!done) {
        ERR_clear_error();
        return std::nullopt;
    }
    plain.resize(static_cast<std::size_t>(first + last));
    return plain;
}

std::string Key::seal(std::string_view plain, std::string_view about) const {
    const Context context = new_context();
    std::string sealed(nonce_size + plain.size() + tag_size, '\0');
    random_bytes(sealed.data(), nonce_size);
    int size = 0, rest = 0;
    const bool done =
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(sealing_), in(sealed)) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &size, in(about), length(about)) == 1 &&
        EVP_EncryptUpdate(context.get(), out(sealed, nonce_size), &size, in(plain), length(plain)) == 1 &&
        EVP_EncryptFinal_ex(context.get(), out(sealed, nonce_size + plain.size()), &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, out(sealed, nonce_size + plain.size())) == 1;
    if (!done) cannot("encrypt");
    return sealed;
}

std::optional<std::string> Key::open(std::string_view sealed, std::string_view about) const {
    if (sealed.size() < nonce_size + tag_size) return std::nullopt;
    const std::string_view text = sealed.substr(nonce_size, sealed.size() - nonce_size - tag_size);
    std::string tag(sealed.substr(sealed.size() - tag_size)), plain(text.size() + block_size, '\0');
    const Context context = new_context();
    int size = 0, rest = 0;
    const bool done = EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(sealing_), in(sealed)) == 1 &&
                      EVP_DecryptUpdate(context.get(), nullptr, &size, in(about), length(about)) == 1 &&
                      EVP_DecryptUpdate(context.get(), out(plain), &size, in(text), length(text)) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(context.get(), out(plain, text.size()), &rest) == 1;
    if (!done) {
        ERR_clear_error();
        return std::nullopt;
    }
    plain.resize(text.size());
    return plain;
}

void random_bytes(void* bytes, std::size_t size) {
    if (RAND_bytes(static_cast<unsigned char*>(bytes), static_cast<int>(size)) != 1) cannot("make random bytes");
}

}  // namespace gateway::keyring
