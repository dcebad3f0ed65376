// What came of one read or write.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>

namespace gateway::net {

enum class IoState : std::uint8_t { done, would_block, closed, failed };

struct IoResult {
    IoState state = IoState::done;
    std::size_t bytes = 0;
    int error = 0;  // errno, when failed
};

// What TLS says of a failure, for logs: "certificate verify failed: hostname mismatch", "wrong version number".
const boost::system::error_category& tls_category() noexcept;

}  // namespace gateway::net
