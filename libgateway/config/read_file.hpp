// A whole file into memory, bounded.
#pragma once

#include <cstddef>
#include <string>

namespace gateway::config {

// 0, or the errno that says why not; EFBIG beyond `most`.
int read_file(const std::string& path, std::string& out, std::size_t most = std::size_t{64} << 20);

}  // namespace gateway::config
