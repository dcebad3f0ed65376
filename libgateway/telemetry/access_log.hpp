// The access log's format, compiled once, and the line of one request written straight into a log ring.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/telemetry/log_ring.hpp"

namespace gateway::telemetry {

// Of values; literal text is written as configured. An unset variable is `-`, with `json` empty.
enum class LogEscape : std::uint8_t { standard, json, none };
// Reads `default`, `json`, `none`; false if it is none of them.
bool parse_log_escape(std::string_view text, LogEscape& escape) noexcept;

inline constexpr std::string_view default_access_format =
    R"($remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent $request_time )"
    R"("$http_referer" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time )"
    R"("$upstream_scheme://$upstream_host$upstream_uri" "$apisix_request_id")";

class AccessFormat {
public:
    struct Piece {
        std::string text;  // literal text, or the variable's name without `$`
        bool variable = false;
        const void* resolved = nullptr;  // for the owner: what the name was resolved to
    };
    // Puts the value into `value`; false if the variable is unset. The view must live until the next call.
    using Read = bool (*)(void* source, const Piece& piece, std::string_view& value);

    // `$name` and `${name}`; names are letters, digits and `_`. Throws std::invalid_argument on a `$` without a name
    // and on `${` without `}`.
    AccessFormat(std::string_view format, LogEscape escape);

    std::vector<Piece>& pieces() noexcept { return pieces_; }
    const std::vector<Piece>& pieces() const noexcept { return pieces_; }

    // Writes the line with its end into the ring. May call `read` twice for a long line; cuts lines at 64 KiB or what
    // the ring takes at most. False if dropped.
    bool write(LogRing& ring, Read read, void* source) const noexcept;
    // The same line into `out`; returns its length, or more than `size` if it does not fit (what fits is written).
    std::size_t format(char* out, std::size_t size, Read read, void* source) const noexcept;

private:
    std::vector<Piece> pieces_;
    LogEscape escape_;
};

}  // namespace gateway::telemetry
