#include "libgateway/keyring/keyring.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <set>

#include "libgateway/json/value.hpp"
#include "libgateway/keyring/base64.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::keyring;

namespace {

constexpr auto both = Keyring::Use::both;

Keyring ring_of(std::initializer_list<std::string_view> keys, Form form = Form::sealed) {
    Keyring ring;
    ring.form = form;
    for (const std::string_view key : keys) ring.add(key, both, "test");
    return ring;
}

std::string random_text(std::mt19937& chance, std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>(' ' + chance() % 95);
    return text;
}

std::string private_key_pem() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return std::string(text, static_cast<std::size_t>(size));
}

constexpr std::string_view key_a = "AAAAAAAAAAAAAAAA", key_b = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

}  // namespace

TEST_CASE("keyring: vectors of tls.md 10.1", "[keyring][keyring]") {
    std::ifstream in(GATEWAY_GOLDEN_DIR "/keyring-vectors.json");
    const json::Value vectors = json::parse(std::string{std::istreambuf_iterator<char>(in), {}});
    REQUIRE(vectors.size() == 6);
    for (const json::Value& vector : vectors.items()) {
        INFO(vector.find("id")->string());
        const Key key(vector.find("key")->string());
        const std::string &plain = vector.find("plain")->string(), &stored = vector.find("stored")->string();
        CHECK(encode_base64(key.encrypt_cbc(plain)) == stored);
        const auto opened = ring_of({key_a, key_b, vector.find("key")->string()}).decrypt(stored);
        REQUIRE(opened);
        CHECK(opened->text == plain);
        CHECK(opened->entry == 2);
    }
}

TEST_CASE("keyring: any text comes back under any order of keys, in both forms", "[keyring][keyring]") {
    std::mt19937 chance(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> keys;
        for (int i = 0; i < 4; ++i) keys.push_back(random_text(chance, chance() % 2 ? 16 : 32));
        const std::string plain = random_text(chance, chance() % 80);
        Keyring writer = ring_of({keys[0]}, round % 2 ? Form::sealed : Form::reference);
        const std::string stored = writer.encrypt(plain);
        std::shuffle(keys.begin(), keys.end(), chance);
        Keyring reader;
        for (const std::string& key : keys) reader.add(key, both, "test");
        const auto opened = reader.decrypt(stored);
        REQUIRE(opened);
        CHECK(opened->text == plain);
        CHECK(ERR_peek_error() == 0);
    }
}

TEST_CASE("keyring: wrong keys and torn texts are a miss and leave the error queue empty", "[keyring][keyring]") {
    std::mt19937 chance(11);
    for (int round = 0; round < 600; ++round) {
        const std::string plain = random_text(chance, 16 + chance() % 40);
        const std::string stored =
            ring_of({random_text(chance, 16)}, round % 2 ? Form::sealed : Form::reference).encrypt(plain);
        std::string torn = stored;
        switch (chance() % 3) {
            case 0:
                torn.resize(chance() % torn.size());
                break;
            case 1:
                torn[chance() % torn.size()] ^= static_cast<char>(1 + chance() % 127);
                break;
            default:
                break;
        }
        const auto opened = ring_of({key_a, key_b}).decrypt(torn);
        CHECK_FALSE(opened);
        CHECK(ERR_peek_error() == 0);
    }
}

TEST_CASE("keyring: a changed text in our form is refused by its own key", "[keyring][keyring]") {
    const Keyring ring = ring_of({key_a});
    const std::string stored = ring.encrypt("secret of jack");
    for (std::size_t i = 0; i < stored.size(); ++i) {
        std::string changed = stored;
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        CHECK_FALSE(ring.decrypt(changed));
    }
}

TEST_CASE("keyring: our form never repeats and names the key, not the text", "[keyring][keyring]") {
    const Keyring ring = ring_of({key_a});
    const std::string one = ring.encrypt("same"), other = ring.encrypt("same");
    CHECK(one != other);
    CHECK(one.starts_with("v2:" + ring.entries()[0].key.id() + ":"));
    CHECK(ring.encrypt("").size() > 12);
    CHECK(ring.decrypt(ring.encrypt(""))->text.empty());
}

TEST_CASE("keyring: a published key reads, but never encrypts", "[keyring][keyring]") {
    const Keyring published = ring_of({"qeddd145sfvddff3", "edd1c9f0985e76a2"}, Form::reference);
    CHECK(published.writer() == nullptr);
    CHECK(published.encrypt("auth-one") == "auth-one");
    CHECK(published.decrypt("RjeV6km+KxQJN2rfu8Y7aA==")->text == "auth-one");
    const Keyring own = ring_of({"qeddd145sfvddff3", key_a}, Form::reference);
    CHECK(own.writer() == &own.entries()[1]);
}

TEST_CASE("keyring: current is what the first key would write, in the form that is written", "[keyring][keyring]") {
    const std::string stored = ring_of({key_a}).encrypt("text"),
                      old = ring_of({key_a}, Form::reference).encrypt("text");
    const Keyring same = ring_of({key_a, key_b}), rotated = ring_of({key_b, key_a});
    CHECK(same.is_current(*same.decrypt(stored)));
    CHECK_FALSE(same.is_current(*same.decrypt(old)));
    CHECK_FALSE(rotated.is_current(*rotated.decrypt(stored)));
}

TEST_CASE("keyring: a key is added once, another length is refused without naming it", "[keyring][keyring]") {
    Keyring ring = ring_of({key_a, key_a});
    CHECK(ring.entries().size() == 1);
    for (const std::string_view bad : {"", "short-secret", "seventeen-letters"}) {
        try {
            ring.add(bad, both, "test");
            FAIL("accepted");
        } catch (const std::invalid_argument& error) {
            const bool named = !bad.empty() && std::string(error.what()).find(bad) != std::string::npos;
            CHECK_FALSE(named);
        }
    }
}

TEST_CASE("keyring: what wrong keys make now and then is not taken for a field's text", "[keyring][keyring]") {
    CHECK(is_field_text("plain ünïcode €𝄞"));
    CHECK(is_field_text(""));
    CHECK(is_field_text("-----BEGIN PRIVATE KEY-----\nAA\r\n-----END PRIVATE KEY-----\n"));
    for (const std::string_view bad :
         {"a\nb", "\t", "\x7f", "\xC2\x80", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"})
        CHECK_FALSE(is_field_text(bad));
    CHECK_FALSE(is_field_text(std::string_view("a\0b", 3)));
    // Of keys that are all wrong, about one in 256 leaves a good padding: none of those counts.
    std::mt19937 chance(3);
    const std::string stored = ring_of({key_a}, Form::reference).encrypt("a secret that is rather long, of two blocks");
    int seemed = 0;
    for (int i = 0; i < 4000; ++i) {
        const std::string wrong = random_text(chance, 16);
        seemed += Key(wrong).decrypt_cbc(*decode_base64(stored)).has_value();
        CHECK_FALSE(ring_of({wrong}).decrypt(stored));
    }
    CHECK(seemed > 0);
}

TEST_CASE("keyring: a private key is one that parses, without asking for a passphrase", "[keyring][private_key]") {
    const std::string pem = private_key_pem();
    CHECK(is_private_key(pem));
    CHECK_FALSE(is_private_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    CHECK_FALSE(is_private_key(""));
    CHECK(ERR_peek_error() == 0);
    const Keyring ring = ring_of({key_b, key_a}, Form::reference);
    const auto opened = ring_of({key_a, key_b}).decrypt(ring.encrypt(pem), is_private_key);
    REQUIRE(opened);
    CHECK(opened->text == pem);
    CHECK_FALSE(ring.decrypt(ring.encrypt("no key at all"), is_private_key));
}

TEST_CASE("keyring: the shape of a text tells what it can be", "[keyring][keyring]") {
    CHECK(shape_of("secret-key") == Shape::plain);
    CHECK(shape_of("") == Shape::plain);
    CHECK(shape_of("v2:whatever") == Shape::plain);
    CHECK(shape_of("4y+JvURBE6ZwRbbgaryrhg==") == Shape::cbc);
    CHECK(shape_of("4y+JvURBE6ZwRbbgaryrhg=") == Shape::plain);
    CHECK(shape_of(ring_of({key_a}).encrypt("x")) == Shape::sealed);
}

TEST_CASE("base64: strict, and the way back", "[keyring][base64]") {
    std::mt19937 chance(5);
    for (std::size_t size = 0; size < 70; ++size) {
        std::string bytes(size, '\0');
        for (char& c : bytes) c = static_cast<char>(chance());
        CHECK(decode_base64(encode_base64(bytes)) == bytes);
    }
    CHECK(encode_base64("foobar") == "Zm9vYmFy");
    for (const std::string_view bad :
         {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zg==\n", " Zg==", "Zg==Zg==", "Z_9v"})
        CHECK_FALSE(decode_base64(bad));
}
