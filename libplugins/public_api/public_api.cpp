#include <optional>
#include <string>

#include "libgateway/plugin/public_apis.hpp"
#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {
namespace {

class PublicApiPlugin final : public Plugin {
public:
    struct Settings {
        std::optional<std::string> uri;
    };
    static constexpr std::string_view name = "public-api";
    static constexpr int priority = 501;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(config::field("uri", &Settings::uri, "path of the handler; default: the path of the request"));

    PublicApiPlugin(Settings settings, BuildScope& scope)
        : uri_(std::move(settings.uri)), apis_(scope.node.plugin_attr) {}

    Step access(Exchange& exchange) const override {
        const PublicApi* api = apis_.find(uri_ ? std::string_view(*uri_) : exchange.uri, exchange.request.method);
        if (api) return api->answer(exchange);
        return exchange.respond_with({404, LocalReply::Body::page, {}});
    }

private:
    std::optional<std::string> uri_;
    PublicApis apis_;
};
const Registration<PublicApiPlugin> registration;

}  // namespace
}  // namespace gateway::plugins
