// The functions of single hashes are deprecated in OpenSSL 3, but the general ones allocate whenever a computation
// starts (measured with 3.0: two allocations for one HMAC, contexts kept).
#define OPENSSL_SUPPRESS_DEPRECATED

#include "libplugins/common/keyed_hash.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace gateway::plugins {
namespace {

using Pieces = std::initializer_list<std::string_view>;

constexpr std::size_t longest_block = SHA512_CBLOCK;
constexpr std::size_t block_of(Hash hash) noexcept {
    return hash == Hash::sha1 || hash == Hash::sha256 ? SHA256_CBLOCK : longest_block;
}

// What the functions of one hash are called with; they cannot fail.
template <class Context, int (*Init)(Context*), int (*Update)(Context*, const void*, std::size_t),
          int (*Final)(unsigned char*, Context*), std::size_t Size>
HashValue compute(std::string_view first, Pieces pieces) noexcept {
    HashValue value;
    value.size = Size;
    Context context;
    Init(&context);
    Update(&context, first.data(), first.size());
    for (const std::string_view piece : pieces) Update(&context, piece.data(), piece.size());
    Final(reinterpret_cast<unsigned char*>(value.bytes.data()), &context);
    OPENSSL_cleanse(&context, sizeof context);
    return value;
}

HashValue run(Hash hash, std::string_view first, Pieces pieces) noexcept {
    switch (hash) {
        case Hash::sha1:
            return compute<SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final, SHA_DIGEST_LENGTH>(first, pieces);
        case Hash::sha256:
            return compute<SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, SHA256_DIGEST_LENGTH>(first, pieces);
        case Hash::sha384:
            return compute<SHA512_CTX, SHA384_Init, SHA384_Update, SHA384_Final, SHA384_DIGEST_LENGTH>(first, pieces);
        case Hash::sha512:
            break;
    }
    return compute<SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final, SHA512_DIGEST_LENGTH>(first, pieces);
}

// The key, filled up to a block, mixed with `mask`.
struct Pad {
    Pad(std::string_view key, std::size_t block, unsigned char mask) noexcept : size(block) {
        bytes.fill(static_cast<char>(mask));
        for (std::size_t i = 0; i < key.size(); ++i) bytes[i] = static_cast<char>(key[i] ^ mask);
    }
    ~Pad() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    Pad(const Pad&) = delete;
    Pad& operator=(const Pad&) = delete;
    std::string_view view() const noexcept { return {bytes.data(), size}; }

    std::array<char, longest_block> bytes;
    std::size_t size;
};

}  // namespace

HashValue hash_of(Hash hash, Pieces pieces) noexcept {
    return run(hash, {}, pieces);
}

HashValue hmac_of(Hash hash, std::string_view key, Pieces pieces) noexcept {
    const std::size_t block = block_of(hash);
    HashValue shortened;
    if (key.size() > block) {
        shortened = hash_of(hash, {key});
        key = shortened.view();
    }
    const Pad inner(key, block, 0x36), outer(key, block, 0x5c);
    return run(hash, outer.view(), {run(hash, inner.view(), pieces).view()});
}

}  // namespace gateway::plugins
