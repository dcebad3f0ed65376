// Reads one head from the front of a buffer: Beast's basic_parser as tokeniser, views into the buffer, framing decided
// by http/framing. Stateless between calls: the caller calls again with the same buffer and more bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libgateway/http/head.hpp"

namespace gateway::http {

struct HeadLimits {
    std::size_t head = 32 * 1024;    // request line (status line) and fields together; over it 431
    std::size_t field = 16 * 1024;   // one field line; over it 431
    std::size_t count = 100;         // field lines; over it 431
    std::size_t target = 16 * 1024;  // over it 414
};

enum class HeadState : std::uint8_t { need_more, complete, failed };

struct HeadResult {
    HeadState state = HeadState::need_more;
    std::size_t consumed = 0;  // bytes of the head, when complete (leading empty lines included)
    unsigned status = 0;       // request: the status to answer, when failed (400, 414, 417, 431, 501, 505)
    std::string_view reason;   // static text for the log, when failed, e.g. "both content-length and transfer-encoding"
};

// `scanned`: bytes of `buffer` already known to hold no end of head (0 at first, else buffer.size() of the last call).
// Views in `head` point into `buffer`, which must stay where it is until the exchange is logged.
HeadResult parse_request(std::string_view buffer, std::size_t scanned, const HeadLimits& limits,
                         RequestHead& head) noexcept;

// `method`: of the request, since HEAD and CONNECT decide the framing. Interim 1xx heads are returned like any other.
HeadResult parse_response(std::string_view buffer, std::size_t scanned, const HeadLimits& limits, Verb method,
                          ResponseHead& head) noexcept;

}  // namespace gateway::http
