// Keys of session tickets: the same in all workers, so that a client resumes with whichever it meets.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/tls/pem.hpp"

namespace gateway::tls {

// Newest first: the first seals tickets, all open them. Older ones are forgotten, and with them what they sealed.
// Whoever rotates them hands the same list to all workers.
class TicketKeys {
public:
    static constexpr std::size_t key_size = 80;  // 16 bytes of name, 32 for AES-256, 32 for HMAC-SHA-256
    static constexpr std::size_t most = 3;

    TicketKeys();
    TicketKeys(const TicketKeys&) = delete;
    TicketKeys& operator=(const TicketKeys&) = delete;
    ~TicketKeys();

    // One key after the other; false, and nothing changes, if the length is none of key_size, 2 or 3 of it.
    bool set(std::string_view bytes);
    bool empty() const noexcept { return count_ == 0; }
    // A list for set() with a new key before the newest of `bytes`. Throws std::runtime_error without random bytes.
    static std::string rotated(std::string_view bytes);

    // As SSL_CTX_set_tlsext_ticket_key_evp_cb asks: 1 or 2 (renew it) if the ticket can be sealed or opened, 0 if not,
    // negative if the library fails.
    int use(unsigned char* name, unsigned char* nonce, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal) const;

private:
    struct FreeCipher {
        void operator()(EVP_CIPHER* owned) const noexcept;
    };
    std::array<std::array<unsigned char, key_size>, most> keys_{};
    std::size_t count_ = 0;
    std::unique_ptr<EVP_CIPHER, FreeCipher> cipher_;
};

}  // namespace gateway::tls
