// The keyring that the gateway makes for itself: one file in its data directory, which nobody else may read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::keyring {

inline constexpr std::string_view key_file_name = "keyring";

// Keys of the file, one a line, the first encrypts; `#` begins a comment line. Nothing if there is no such file. Throws
// std::runtime_error (path and what was expected, never a key) if it is no regular file, others may read or write it,
// its owner is neither this user nor root nor the owner of its folder, or a line is no key.
std::optional<std::vector<std::string>> read_key_file(const std::string& path);

// Makes the file with one new key and mode 0600, whole or not at all; a file that is there stays. Throws
// std::system_error.
void make_key_file(const std::string& path);
// The same with nothing but the key in it: for a key that people show to get in.
void make_plain_key_file(const std::string& path);

}  // namespace gateway::keyring
