#include "libgateway/tls/pem.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <climits>
#include <memory>

namespace gateway::tls {

namespace {

struct FreeBio {
    void operator()(BIO* owned) const noexcept { ::BIO_free(owned); }
};

// The blocks of a text, one after the other.
class Blocks {
public:
    explicit Blocks(std::string_view text)
        : text_(text.size() <= INT_MAX ? ::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())) : nullptr) {
        ::ERR_clear_error();
    }
    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;
    ~Blocks() {
        forget();
        ::ERR_clear_error();
    }

    bool next() {
        forget();
        if (!text_) return false;
        unsigned char* bytes = nullptr;
        if (::PEM_read_bio(text_.get(), &label_, &header_, &bytes, &size_) != 1) {
            label_ = header_ = nullptr;
            size_ = 0;
            return false;
        }
        bytes_ = bytes;
        return true;
    }
    // After next() said false: whether the text ended where a text may end.
    bool ended() const noexcept {
        const unsigned long code = ::ERR_peek_last_error();
        return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    }
    std::string_view label() const noexcept { return label_; }
    bool encrypted() const noexcept { return header_ && *header_ != '\0'; }
    std::string bytes() const { return {reinterpret_cast<const char*>(bytes_), static_cast<std::size_t>(size_)}; }

private:
    void forget() noexcept {
        ::OPENSSL_free(label_);
        ::OPENSSL_free(header_);
        ::OPENSSL_clear_free(bytes_, static_cast<std::size_t>(size_));
        label_ = header_ = nullptr;
        bytes_ = nullptr;
        size_ = 0;
    }

    std::unique_ptr<BIO, FreeBio> text_;
    char *label_ = nullptr, *header_ = nullptr;
    unsigned char* bytes_ = nullptr;
    long size_ = 0;
};

bool is_certificate(std::string_view label) noexcept {
    return label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD || label == PEM_STRING_X509_TRUSTED;
}

bool is_key(std::string_view label) noexcept {
    return label == PEM_STRING_PKCS8INF || label == PEM_STRING_RSA || label == PEM_STRING_ECPRIVATEKEY ||
           label == PEM_STRING_DSA;
}

}  // namespace

SecretBytes::~SecretBytes() {
    if (!bytes_.empty()) ::OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

std::vector<std::string> certificates_of(std::string_view pem, std::string& problem) {
    std::vector<std::string> found;
    Blocks blocks(pem);
    while (blocks.next()) {
        if (is_certificate(blocks.label())) found.push_back(blocks.bytes());
    }
    problem.clear();
    if (found.empty()) {
        problem = certificate_refusal;
    } else if (!blocks.ended()) {
        problem = "failed to parse cert: certificate " + std::to_string(found.size() + 1) + " of the chain is damaged";
    }
    return found;
}

SecretBytes private_key_of(std::string_view pem) {
    Blocks blocks(pem);
    while (blocks.next()) {
        if (!is_key(blocks.label())) continue;
        return blocks.encrypted() ? SecretBytes() : SecretBytes(blocks.bytes());
    }
    return {};
}

PairBytes read_pair(std::string_view certificate, std::string_view key, std::string& problem) {
    PairBytes pair;
    pair.chain = certificates_of(certificate, problem);
    if (!problem.empty()) return pair;
    pair.key = private_key_of(key);
    if (pair.key.empty()) problem = key_refusal;
    return pair;
}

}  // namespace gateway::tls
