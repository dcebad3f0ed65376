// The keyring that a static file asks for: its own keys, those of the key file in data_dir, and keys that only decrypt.
#pragma once

#include <memory>
#include <string>

#include "libgateway/config/diagnostic.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/keyring/keyring.hpp"

namespace gateway::process {

using KeyringPtr = std::shared_ptr<const keyring::Keyring>;

std::string key_file_of(const config::StaticConfig& settings);

// Null, and an error that names the file, if the key file is there and cannot be used; also for settings that were
// written for workers, which do not hold the keys.
KeyringPtr load_keyring(const config::StaticConfig& settings, const std::string& config_path,
                        config::Diagnostics& found);

// The ring itself, or with the key of a key file that is made here: with provider local, where no key encrypts and the
// keyring is not empty on purpose. Nothing is made before data_dir is there; a failure is a warning.
KeyringPtr complete_keyring(const config::StaticConfig& settings, const std::string& config_path, KeyringPtr ring,
                            config::Diagnostics& found);

}  // namespace gateway::process
