// Handlers that plugins offer under paths of their own; reachable where a route has the plugin public-api.
#pragma once

#include <string_view>
#include <vector>

#include "libgateway/plugin/exchange.hpp"
#include "libgateway/plugin/step.hpp"

namespace gateway {

struct PublicApi {
    std::string_view path;  // static text: "/apisix/status"
    http::Verb method = http::Verb::get;
    // Answers with `exchange.respond_with(...)`, now or after a wait.
    Step (*answer)(Exchange& exchange) = nullptr;
};

// Filled before main by the plugins (`const PublicApiRegistration …`), read only afterwards.
class PublicApis {
public:
    static void add(const PublicApi& api);
    // Null if nobody answers that path with that method.
    static const PublicApi* find(std::string_view path, http::Verb method) noexcept;
};

class PublicApiRegistration {
public:
    explicit PublicApiRegistration(const PublicApi& api) { PublicApis::add(api); }
};

}  // namespace gateway
