// Handlers that plugins offer under paths of their own; reachable where a route has the plugin public-api.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/json/value.hpp"
#include "libgateway/plugin/exchange.hpp"
#include "libgateway/plugin/step.hpp"

namespace gateway {

struct PublicApi {
    // Where it is, by `plugin_attr` of the node; empty: this node does not offer it. May throw config::Error.
    std::string (*path)(const json::Value& plugin_attr) = nullptr;
    http::Verb method = http::Verb::get;
    // Answers with `exchange.respond_with(...)`, now or after a wait.
    Step (*answer)(Exchange& exchange) = nullptr;
};

// Fills what every PublicApis begins with; before main (`const PublicApiRegistration …`).
class PublicApiRegistration {
public:
    explicit PublicApiRegistration(const PublicApi& api);
};

// What one node offers. Immutable; made with each plugin that looks there.
class PublicApis {
public:
    explicit PublicApis(const json::Value& plugin_attr);
    // Null if nobody answers that path with that method.
    const PublicApi* find(std::string_view path, http::Verb method) const noexcept;

private:
    struct Offer {
        std::string path;
        const PublicApi* api;
    };
    std::vector<Offer> offers_;
};

}  // namespace gateway
