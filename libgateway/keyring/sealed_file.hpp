// A file of records that are encrypted one by one, so that more can be appended.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "libgateway/keyring/keyring.hpp"

namespace gateway::keyring {

// The beginning of such a file with its first record; one more record. Without a key that encrypts: the bytes
// themselves.
std::vector<char> seal_base(const Keyring& ring, std::span<const char> bytes);
std::vector<char> seal_record(const Keyring& ring, std::span<const char> bytes);

bool is_sealed(std::span<const char> file) noexcept;
// The records in a row, up to the first that is torn; nothing if not even the first can be read.
std::optional<std::vector<char>> open_records(const Keyring& ring, std::span<const char> file);

}  // namespace gateway::keyring
