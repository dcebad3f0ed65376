#include "libgateway/net/tls_layer.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <boost/system/errc.hpp>
#include <cerrno>
#include <cstring>
#include <string>

#include "libgateway/net/tls_client.hpp"

namespace gateway::net {

namespace {

// Boost's base class has no virtual destructor, and nobody deletes a category.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
// Codes of the library fit into an int and are positive; results of a verification are told by their negative.
class TlsCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tls"; }
    std::string message(int value) const override {
        if (value < 0) return std::string("certificate verify failed: ") + ::X509_verify_cert_error_string(-value);
        const char* reason = ::ERR_reason_error_string(static_cast<unsigned long>(value));
        return reason ? reason : "TLS failure " + std::to_string(value);
    }
};
#pragma GCC diagnostic pop

error_code system_error(int number) noexcept {
    return {number, boost::system::system_category()};
}

constexpr std::size_t record = 16384;

// The beginning of the parts, as much as one record holds.
std::size_t gather(const iovec* parts, int count, std::array<char, record>& into) noexcept {
    std::size_t size = 0;
    for (int i = 0; i < count && size < record; ++i) {
        const std::size_t piece = std::min(parts[i].iov_len, record - size);
        if (piece > 0) std::memcpy(into.data() + size, parts[i].iov_base, piece);
        size += piece;
    }
    return size;
}

}  // namespace

const boost::system::error_category& tls_category() noexcept {
    static const TlsCategory category;
    return category;
}

error_code last_tls_error(SSL* ssl) noexcept {
    const unsigned long code = ::ERR_peek_error();
    if (code == 0) return system_error(ECONNRESET);
    if (ERR_SYSTEM_ERROR(code)) return system_error(static_cast<int>(code & ERR_SYSTEM_MASK));
    const int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return system_error(ECONNRESET);
    const long verified = ssl ? ::SSL_get_verify_result(ssl) : X509_V_OK;
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
        return {-static_cast<int>(verified), tls_category()};
    return {static_cast<int>(code), tls_category()};
}

TlsLayer::TlsLayer(SSL* ssl, Descriptor& descriptor, Ref<TlsPeer> peer) noexcept
    : ssl_(ssl), descriptor_(descriptor), peer_(std::move(peer)) {
    ::SSL_set_fd(ssl_, descriptor_.fd());
}

TlsLayer::~TlsLayer() {
    ::SSL_free(ssl_);
}

// A result of SSL_* that is not success. A flag is lowered only when the socket itself has said so: it is
// edge-triggered.
IoResult TlsLayer::judge(int result, std::uint8_t& wanted) noexcept {
    const int number = errno;
    switch (::SSL_get_error(ssl_, result)) {
        case SSL_ERROR_WANT_READ:
            descriptor_.clear(readable);
            wanted = readable;
            return {IoState::would_block, 0, 0};
        case SSL_ERROR_WANT_WRITE:
            descriptor_.clear(writable);
            wanted = writable;
            return {IoState::would_block, 0, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {IoState::closed, 0, 0};
        case SSL_ERROR_SYSCALL:
            error_ = system_error(number != 0 ? number : ECONNRESET);
            break;
        default:
            error_ = last_tls_error(ssl_);
    }
    const bool of_system = error_.category() == boost::system::system_category();
    return {IoState::failed, 0, of_system ? error_.value() : EPROTO};
}

IoState TlsLayer::shake() noexcept {
    if (error_) return IoState::failed;
    ::ERR_clear_error();
    errno = 0;
    const int result = ::SSL_do_handshake(ssl_);
    if (result == 1) {
        shaken_ = true;
        to_read_ = readable;
        return IoState::done;
    }
    const IoState state = judge(result, to_read_).state;
    if (state != IoState::closed) return state;
    error_ = system_error(ECONNRESET);
    return IoState::failed;
}

IoResult TlsLayer::read(std::span<char> into) noexcept {
    if (error_) return {IoState::failed, 0, EPROTO};
    if (!descriptor_.has(to_read_) && !has_pending()) return {IoState::would_block, 0, 0};
    ::ERR_clear_error();
    errno = 0;
    const int got = ::SSL_read(ssl_, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1 << 30)));
    if (got <= 0) return judge(got, to_read_);
    to_read_ = readable;
    return {IoState::done, static_cast<std::size_t>(got), 0};
}

IoResult TlsLayer::write(const iovec* parts, int count) noexcept {
    if (error_) return {IoState::failed, 0, EPROTO};
    if (!descriptor_.has(to_write_)) return {IoState::would_block, 0, 0};
    while (count > 1 && parts->iov_len == 0) ++parts, --count;
    std::array<char, record> together;
    const void* from = count > 0 ? parts->iov_base : nullptr;
    std::size_t size = count > 0 ? std::min(parts->iov_len, record) : 0;
    if (count > 1 && size < record) {
        size = gather(parts, count, together);
        from = together.data();
    }
    if (size == 0) return {IoState::done, 0, 0};
    ::ERR_clear_error();
    errno = 0;
    const int sent = ::SSL_write(ssl_, from, static_cast<int>(size));
    if (sent <= 0) return judge(sent, to_write_);
    to_write_ = writable;
    return {IoState::done, static_cast<std::size_t>(sent), 0};
}

void TlsLayer::say_goodbye() noexcept {
    if (error_ || !shaken_) return;
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_);
}

bool TlsLayer::has_pending() const noexcept {
    return ::SSL_has_pending(ssl_) != 0;
}

}  // namespace gateway::net
