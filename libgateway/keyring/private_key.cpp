#include <openssl/err.h>
#include <openssl/pem.h>

#include <memory>

#include "libgateway/keyring/keyring.hpp"

namespace gateway::keyring {

namespace {

// Never asks anybody for a passphrase.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

}  // namespace

bool is_private_key(std::string_view candidate) {
    if (candidate.size() > (1 << 20)) return false;
    const std::unique_ptr<BIO, decltype(&BIO_free)> text(
        BIO_new_mem_buf(candidate.data(), static_cast<int>(candidate.size())), BIO_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        text ? PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr) : nullptr, EVP_PKEY_free);
    ERR_clear_error();
    return key != nullptr;
}

}  // namespace gateway::keyring
