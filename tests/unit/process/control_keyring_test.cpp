#include "libgateway/process/control_keyring.hpp"

#include <sys/stat.h>

#include "libgateway/process/control_catalogue.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway;
using namespace gateway::process;
using gateway::test::TempDir;

namespace {

config::StaticConfig settings_of(const TempDir& folder, const std::string& encryption) {
    config::Diagnostics found;
    config::StaticConfig settings = config::read_static(
        "apisix: {data_encryption: {" + encryption + "}}", {(folder / "gateway.yaml").string(), false},
        [](const std::string&) { return std::nullopt; }, found);
    settings.gateway.data_dir = folder.path().string();
    INFO(found.text());
    REQUIRE(found.ok());
    return settings;
}

struct Ring {
    KeyringPtr ring;
    config::Diagnostics found;
};
Ring ring_of(const config::StaticConfig& settings) {
    Ring made;
    made.ring = load_keyring(settings, "gateway.yaml", made.found);
    return made;
}

std::vector<std::string> sources_of(const keyring::Keyring& ring) {
    std::vector<std::string> sources;
    for (const auto& entry : ring.entries()) sources.push_back(entry.source);
    return sources;
}

constexpr std::string_view default_text = "default of the reference";

}  // namespace

TEST_CASE("keyring of a static file: by default the published keys read and a key that is made writes",
          "[process][control_keyring]") {
    const TempDir folder;
    const config::StaticConfig settings = settings_of(folder, "");
    Ring made = ring_of(settings);
    REQUIRE(made.ring);
    CHECK(made.ring->entries().size() == 2);
    CHECK(made.ring->writer() == nullptr);
    const KeyringPtr complete = complete_keyring(settings, "gateway.yaml", made.ring, made.found);
    REQUIRE(complete->writer());
    CHECK(complete->writer()->source == (folder / "keyring").string());
    CHECK(made.found.list().empty());
    CHECK(ring_of(settings).ring->writer()->key == complete->writer()->key);
    CHECK(complete_keyring(settings, "gateway.yaml", complete, made.found) == complete);
}

TEST_CASE("keyring of a static file: own keys first, then the key file, then those that only read",
          "[process][control_keyring]") {
    const TempDir folder;
    folder.write("keyring", "FFFFFFFFFFFFFFFF\n");
    ::chmod((folder / "keyring").c_str(), 0600);
    const std::string own = "keyring: [AAAAAAAAAAAAAAAA], key_encrypt_salt: edd1c9f0985e76a2";
    const Ring made = ring_of(settings_of(folder, own));
    CHECK(sources_of(*made.ring) == std::vector<std::string>{"apisix.data_encryption.keyring[0]",
                                                             (folder / "keyring").string(),
                                                             "apisix.data_encryption.key_encrypt_salt"});
    CHECK(made.ring->writer() == &made.ring->entries()[0]);
    CHECK(made.ring->entries()[2].use == keyring::Keyring::Use::decrypt_only);
    CHECK(sources_of(*ring_of(settings_of(folder, "")).ring).back() == default_text);
}

TEST_CASE("keyring of a static file: a published first key is a warning and writes nothing",
          "[process][control_keyring]") {
    const TempDir folder;
    const Ring made = ring_of(settings_of(folder, "keyring: [edd1c9f0985e76a2, AAAAAAAAAAAAAAAA]"));
    CHECK(made.found.warnings() == 1);
    CHECK(made.ring->writer() == &made.ring->entries()[1]);
}

TEST_CASE("keyring of a static file: an empty one writes plain text, and no key is made",
          "[process][control_keyring]") {
    const TempDir folder;
    const config::StaticConfig settings = settings_of(folder, "keyring: []");
    Ring made = ring_of(settings);
    CHECK(complete_keyring(settings, "gateway.yaml", made.ring, made.found) == made.ring);
    CHECK(made.ring->writer() == nullptr);
    CHECK_FALSE(std::filesystem::exists(folder / "keyring"));
}

TEST_CASE("keyring of a static file: only provider local makes a key, and only where data_dir is",
          "[process][control_keyring]") {
    const TempDir folder;
    config::StaticConfig settings = settings_of(folder, "");
    settings.deployment.role = "data_plane";
    Ring made = ring_of(settings);
    CHECK_FALSE(complete_keyring(settings, "gateway.yaml", made.ring, made.found)->writer());
    settings.deployment.role = "traditional";
    settings.gateway.data_dir = (folder / "missing").string();
    CHECK_FALSE(complete_keyring(settings, "gateway.yaml", made.ring, made.found)->writer());
    CHECK(made.found.list().empty());
}

TEST_CASE("keyring of a static file: a key file that cannot be used, or settings of workers, are an error",
          "[process][control_keyring]") {
    const TempDir folder;
    folder.write("keyring", "FFFFFFFFFFFFFFFF\n");
    ::chmod((folder / "keyring").c_str(), 0644);
    const Ring open = ring_of(settings_of(folder, ""));
    CHECK_FALSE(open.ring);
    CHECK(open.found.errors() == 1);
    ::chmod((folder / "keyring").c_str(), 0600);
    const config::StaticConfig own = settings_of(folder, "keyring: [AAAAAAAAAAAAAAAA]");
    const Ring withheld = ring_of(config::decode_static(config::encode_static(own)));
    CHECK_FALSE(withheld.ring);
    CHECK(withheld.found.errors() == 1);
}
