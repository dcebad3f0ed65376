#include "libgateway/tls/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace gateway::tls {

namespace {

constexpr std::size_t name_size = 16, secret_size = 32, nonce_size = 16;

}  // namespace

void TicketKeys::FreeCipher::operator()(EVP_CIPHER* owned) const noexcept {
    ::EVP_CIPHER_free(owned);
}

TicketKeys::TicketKeys() : cipher_(::EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)) {}

TicketKeys::~TicketKeys() {
    ::OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

bool TicketKeys::set(std::string_view bytes) {
    if (bytes.empty() || bytes.size() % key_size != 0 || bytes.size() > most * key_size) return false;
    ::OPENSSL_cleanse(keys_.data(), sizeof keys_);
    count_ = bytes.size() / key_size;
    for (std::size_t i = 0; i < count_; ++i) std::memcpy(keys_[i].data(), bytes.data() + i * key_size, key_size);
    return true;
}

std::string TicketKeys::rotated(std::string_view bytes) {
    std::string list(key_size, '\0');
    if (::RAND_bytes(reinterpret_cast<unsigned char*>(list.data()), static_cast<int>(key_size)) != 1)
        throw std::runtime_error("no random bytes for ticket keys");
    return list.append(bytes.substr(0, (most - 1) * key_size));
}

int TicketKeys::use(unsigned char* name, unsigned char* nonce, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                    bool seal) const {
    std::size_t at = 0;
    if (seal) {
        if (count_ == 0 || ::RAND_bytes(nonce, nonce_size) != 1) return -1;
        std::memcpy(name, keys_[0].data(), name_size);
    } else {
        while (at < count_ && std::memcmp(keys_[at].data(), name, name_size) != 0) ++at;
        if (at == count_) return 0;
    }
    const unsigned char* const secret = keys_[at].data() + name_size;
    char digest[] = "SHA256";
    const OSSL_PARAM settings[] = {
        ::OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(secret + secret_size),
                                            secret_size),
        ::OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), ::OSSL_PARAM_construct_end()};
    if (::EVP_CipherInit_ex2(cipher, cipher_.get(), secret, nonce, seal ? 1 : 0, nullptr) != 1 ||
        ::EVP_MAC_CTX_set_params(mac, settings) != 1)
        return -1;
    return at == 0 ? 1 : 2;
}

}  // namespace gateway::tls
