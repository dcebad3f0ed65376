// A route file's secrets: which key reads each, and the file's text with all of them written anew.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/diagnostic.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/keyring/keyring.hpp"

namespace gateway::sources {

enum class SecretState : std::uint8_t { current, outdated, plain, unreadable };
std::string_view name_of(SecretState state) noexcept;

struct SecretField {
    std::string path;  // dotted, inside the object
    json::Position where;
    SecretState state = SecretState::plain;
};
struct SecretObject {
    std::string name;  // "consumers/jack"
    std::vector<SecretField> fields;
};

struct SecretsOptions {
    std::string path;          // of the file, for messages
    bool json = false;         // else YAML
    bool plain_texts = false;  // what looks encrypted, in the reference's form, and is not readable is plain text
};

struct SecretsReport {
    std::vector<SecretObject> objects;  // that have secrets, in the order of the file
    config::Diagnostics problems;       // the file is no YAML or JSON; a value cannot be replaced
    std::size_t count(SecretState state) const noexcept;
};
// Texts with `${{…}}` and references ($env://, $secret://) are no secrets of the file and left out.
SecretsReport inspect_secrets(std::string_view text, const SecretsOptions& options, const keyring::Keyring& ring);

struct Reencrypted {
    SecretsReport report;  // of the text as it was
    std::string text;      // valid if there are no problems
    bool changed = false;
};
// Everything that is readable and not current is encrypted with the first key; all other bytes of the text stay. The
// result is read again and compared before it is given. Needs a ring that may encrypt.
Reencrypted reencrypt(std::string_view text, const SecretsOptions& options, const keyring::Keyring& ring);

}  // namespace gateway::sources
