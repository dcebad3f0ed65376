#include "libgateway/keyring/sealed_file.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace gateway::keyring;

namespace {

Keyring ring_of(std::initializer_list<std::string_view> keys) {
    Keyring ring;
    for (const std::string_view key : keys) ring.add(key, Keyring::Use::both, "test");
    return ring;
}

std::vector<char> bytes_of(std::string_view text) {
    return {text.begin(), text.end()};
}

std::vector<char> joined(std::vector<char> a, const std::vector<char>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

constexpr std::string_view key_a = "AAAAAAAAAAAAAAAA", key_b = "BBBBBBBBBBBBBBBB";

}  // namespace

TEST_CASE("sealed file: base and records come back in a row, also after a rotation", "[keyring][sealed_file]") {
    const std::vector<char> base = seal_base(ring_of({key_a}), bytes_of("secret base "));
    const std::vector<char> more = seal_record(ring_of({key_b, key_a}), bytes_of("and more"));
    const std::vector<char> file = joined(base, more);
    CHECK(is_sealed(file));
    CHECK(std::string(file.begin(), file.end()).find("secret") == std::string::npos);
    CHECK(open_records(ring_of({key_b, key_a}), file) == bytes_of("secret base and more"));
    CHECK(open_records(ring_of({key_a}), file) == bytes_of("secret base "));
    CHECK_FALSE(open_records(ring_of({key_b}), file));
}

TEST_CASE("sealed file: a torn end is left out, a changed base is nothing", "[keyring][sealed_file]") {
    const Keyring ring = ring_of({key_a});
    const std::vector<char> base = seal_base(ring, bytes_of("base")), more = seal_record(ring, bytes_of("more"));
    const std::vector<char> file = joined(base, more);
    for (std::size_t size = 0; size < file.size(); ++size) {
        const auto opened = open_records(ring, std::span(file).first(size));
        CHECK(opened == (size < base.size() ? std::nullopt : std::optional(bytes_of("base"))));
    }
    for (std::size_t i = 0; i < base.size(); ++i) {
        std::vector<char> changed = file;
        changed[i] ^= 1;
        CHECK_FALSE(open_records(ring, changed));
    }
}

TEST_CASE("sealed file: without a key that encrypts it is the bytes themselves", "[keyring][sealed_file]") {
    CHECK(seal_base(Keyring(), bytes_of("plain")) == bytes_of("plain"));
    CHECK_FALSE(is_sealed(bytes_of("plain")));
}
