#include <cstdint>
#include <optional>

#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {
namespace {

class ClientControl final : public Plugin {
public:
    struct Settings {
        std::optional<std::uint64_t> max_body_size;
    };
    static constexpr std::string_view name = "client-control";
    static constexpr int priority = 22000;
    static constexpr bool before_auth = true;
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema = config::fields(
        config::field("max_body_size", &Settings::max_body_size,
                      "most bytes of a request body, in place of `client_max_body_size`; 0: any", config::at_least(0)));

    ClientControl(Settings settings, BuildScope&) : limit_(settings.max_body_size) {}

    // The limit counts before `rewrite`, where a body may be collected already.
    BodyNeeds body_needs() const noexcept override { return {.request_limit = limit_}; }

    Step rewrite(Exchange& exchange) const override {
        if (!limit_) return Verdict::next;
        exchange.max_body_size = *limit_;
        const http::BodyFraming& body = exchange.request.body;
        const bool known = body.kind == http::BodyKind::length;
        if (*limit_ == 0 || !known || body.length <= *limit_) return Verdict::next;
        return exchange.respond_with({413, LocalReply::Body::page, {}});
    }

private:
    std::optional<std::uint64_t> limit_;
};
const Registration<ClientControl> registration;

}  // namespace
}  // namespace gateway::plugins
