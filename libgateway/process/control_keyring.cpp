#include "libgateway/process/control_keyring.hpp"

#include <unistd.h>

#include <stdexcept>

#include "libgateway/base/log.hpp"
#include "libgateway/keyring/key_file.hpp"

namespace gateway::process {

namespace {

using keyring::Keyring;

constexpr std::string_view section = "apisix.data_encryption";

// Of the reference: what it encrypted, when nobody said otherwise.
constexpr std::string_view reference_default[] = {"qeddd145sfvddff3", "edd1c9f0985e76a2"};

bool withheld(const std::optional<config::KeyTexts>& keys) noexcept {
    return keys && keys->withheld;
}

void add_configured(const config::EncryptionSettings& settings, const std::string& file, Keyring& ring,
                    config::Diagnostics& found) {
    const auto& keys = settings.keyring->keys;
    for (std::size_t i = 0; i < keys.size(); ++i)
        ring.add(keys[i], Keyring::Use::both, std::string(section) + ".keyring[" + std::to_string(i) + "]");
    if (keys.empty() || !keyring::is_published(keys[0])) return;
    found.add({config::Severity::warning,
               file,
               {},
               {},
               std::string(section) + ".keyring",
               "the first key is published in the reference's documentation: it decrypts, but never encrypts",
               {}});
}

}  // namespace

std::string key_file_of(const config::StaticConfig& settings) {
    return settings.gateway.data_dir + "/" + std::string(keyring::key_file_name);
}

KeyringPtr load_keyring(const config::StaticConfig& settings, const std::string& config_path,
                        config::Diagnostics& found) {
    const config::EncryptionSettings& encryption = settings.apisix.data_encryption;
    const std::string field(section);
    if (withheld(encryption.keyring) || withheld(encryption.key_encrypt_salt)) {
        found.error(config_path, {}, "", "the keyring is not known until the static file can be read");
        return nullptr;
    }
    auto ring = std::make_shared<Keyring>();
    const bool reference = encryption.format.value_or(settings.etcd_provider() ? "reference" : "v2") == "reference";
    ring->form = reference ? keyring::Form::reference : keyring::Form::sealed;
    if (encryption.keyring) add_configured(encryption, config_path, *ring, found);
    try {
        const std::string path = key_file_of(settings);
        const bool plain = encryption.keyring && encryption.keyring->keys.empty();
        const auto use = plain ? Keyring::Use::decrypt_only : Keyring::Use::both;
        std::optional<std::vector<std::string>> keys;
        if (!settings.gateway.data_dir.empty()) keys = keyring::read_key_file(path);
        for (const std::string& key : keys.value_or(std::vector<std::string>())) ring->add(key, use, path);
    } catch (const std::exception& error) {
        found.add({config::Severity::error, config_path, {}, {}, field, error.what(), {}});
        return nullptr;
    }
    if (!encryption.keyring) {
        for (const std::string_view key : reference_default)
            ring->add(key, Keyring::Use::decrypt_only, "default of the reference");
    }
    if (encryption.key_encrypt_salt) {
        for (const std::string& key : encryption.key_encrypt_salt->keys)
            ring->add(key, Keyring::Use::decrypt_only, field + ".key_encrypt_salt");
    }
    if (settings.etcd_provider() && !encryption.keyring && !ring->writer()) {
        found.add({config::Severity::warning,
                   config_path,
                   {},
                   {},
                   field + ".keyring",
                   "no key encrypts: secrets are written to etcd in plain text",
                   {}});
    }
    return ring;
}

KeyringPtr complete_keyring(const config::StaticConfig& settings, const std::string& config_path, KeyringPtr ring,
                            config::Diagnostics& found) {
    const auto& keys = settings.apisix.data_encryption.keyring;
    const bool plain = keys && keys->keys.empty();
    const bool prepared = ::access(settings.gateway.data_dir.c_str(), F_OK) == 0;
    const bool keeps_objects = settings.local_provider() || settings.standalone_api();
    if (!ring || ring->writer() || plain || !prepared || !keeps_objects) return ring;
    try {
        keyring::make_key_file(key_file_of(settings));
        log::notice("a keyring was made: {}", key_file_of(settings));
    } catch (const std::exception& error) {
        found.warning(config_path, {}, "", std::string("no keyring can be made: ") + error.what());
        return ring;
    }
    config::Diagnostics repeated;
    const KeyringPtr complete = load_keyring(settings, config_path, repeated);
    return complete ? complete : ring;
}

}  // namespace gateway::process
