// Field lines of a head into the table of fields, and what they say about the connection, noted in the same pass.
#pragma once

#include <cstddef>
#include <string_view>

#include "libgateway/http/head_parser.hpp"
#include "libgateway/http/head_scan.hpp"

namespace gateway::http {

struct Refusal {
    unsigned status = 0;  // 0: none
    std::string_view reason;
};

struct FieldNotes {
    unsigned hosts = 0, options = 0, upgrades = 0;
    bool close = false, keep_alive = false, upgrade = false;  // options of Connection
    bool websocket = false;                                   // the only Upgrade field says so
    bool expect_continue = false, expect_other = false;
};

// Strict: name is a token, the colon follows it at once, no folding. The scan has ruled out control characters.
Refusal read_field_lines(const HeadScan& scan, const HeadLimits& limits, Fields& fields, FieldNotes& notes) noexcept;

}  // namespace gateway::http
