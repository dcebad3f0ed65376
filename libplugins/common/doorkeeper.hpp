// How auth plugins turn a request away, or let it in as the anonymous consumer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libgateway/config/schema.hpp"
#include "libgateway/plugin/exchange.hpp"

namespace gateway::plugins {

// Printable ASCII that can stand between quotes as it is.
bool is_realm(std::string_view text) noexcept;
inline constexpr auto realm_form = config::pattern(R"(^[\x20-\x21\x23-\x5B\x5D-\x7E]+$)", is_realm);

// Part of an auth plugin's instance; immutable.
class Doorkeeper {
public:
    // Refusals carry `WWW-Authenticate: <scheme> realm="<realm>"`. Without a consumer to fall back on: an empty name.
    Doorkeeper(std::string_view scheme, std::string_view realm, const std::optional<std::string>& anonymous);

    // Authentication failed. `next`: the anonymous consumer is attached, the request goes on as its. `respond`: 401
    // with `body`, JSON that lives as long as the exchange. `reason` is for the log only and must not hold what the
    // client sent as a secret; empty: nothing is logged.
    Verdict refuse(Exchange& exchange, std::string_view body, std::string_view reason = {}) const;

private:
    std::string challenge_, anonymous_;
};

}  // namespace gateway::plugins
