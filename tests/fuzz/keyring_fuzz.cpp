// Any bytes as a stored secret, as a sealed file and as a route file: nothing but misses, and what is read is exact.
#include <openssl/err.h>

#include <cstdlib>

#include "libgateway/keyring/sealed_file.hpp"
#include "libgateway/sources/reencrypt.hpp"
#include "libgateway/sources/scalar_text.hpp"

using namespace gateway;

namespace {

keyring::Keyring make_ring(keyring::Form form) {
    keyring::Keyring ring;
    ring.form = form;
    for (const std::string_view key : {"AAAAAAAAAAAAAAAA", "qeddd145sfvddff3", "0123456789abcdef0123456789ABCDEF"})
        ring.add(key, keyring::Keyring::Use::both, "fuzz");
    return ring;
}

// The reference's form has one text per key and plain text.
void check_opened(std::string_view stored, const keyring::Keyring& ring) {
    const auto opened = ring.decrypt(stored);
    if (!opened || opened->form != keyring::Form::reference) return;
    keyring::Keyring alone;
    alone.form = keyring::Form::reference;
    constexpr std::string_view keys[] = {"AAAAAAAAAAAAAAAA", "qeddd145sfvddff3", "0123456789abcdef0123456789ABCDEF"};
    alone.add(keys[opened->entry], keyring::Keyring::Use::both, "fuzz");
    if (alone.writer() && alone.encrypt(opened->text) != stored) std::abort();
    if (!keyring::is_field_text(opened->text)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const keyring::Keyring ring = make_ring(keyring::Form::sealed);
    static const keyring::Keyring reference = make_ring(keyring::Form::reference);
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_opened(text, ring);
    (void)keyring::shape_of(text);
    if (keyring::is_field_text(text) && ring.decrypt(ring.encrypt(text))->text != text) std::abort();
    if (keyring::is_field_text(text) && reference.decrypt(reference.encrypt(text))->text != text) std::abort();
    (void)keyring::open_records(ring, {text.data(), text.size()});
    if (keyring::is_private_key(text) && size == 0) std::abort();
    if (ERR_peek_error() != 0) std::abort();
    for (const bool json : {false, true}) {
        const sources::Reencrypted result = sources::reencrypt(text, {"fuzz", json, true}, ring);
        if (!result.report.problems.ok() || !result.changed) continue;
        const sources::SecretsReport after = sources::inspect_secrets(result.text, {"fuzz", json, true}, ring);
        if (after.count(sources::SecretState::outdated) + after.count(sources::SecretState::plain) != 0) std::abort();
    }
    return 0;
}
