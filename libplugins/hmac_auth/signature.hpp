// What a client says in `Authorization: Signature …`: which key, how, over what; taken apart in place.
#pragma once

#include <string_view>

namespace gateway::plugins {

// Views of the field; empty where the client said nothing.
struct SignatureParts {
    std::string_view key_id, algorithm, headers, signature;
};

constexpr std::string_view signature_scheme = "Signature";

// Of a field that begins with the scheme. Behind it, parts between commas with one `word="value"` each; of equal words
// the last counts, unknown ones are passed over.
SignatureParts read_signature(std::string_view field) noexcept;

}  // namespace gateway::plugins
