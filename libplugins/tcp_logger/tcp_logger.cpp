#include "libgateway/delivery/senders.hpp"
#include "libplugins/common/logger.hpp"

namespace gateway::plugins {
namespace {

thread_local delivery::OutboxCounts counts;

class TcpLogger final : public BatchLogger {
public:
    struct Settings : BatchSettings {
        Settings() { name = "tcp logger"; }
        std::string host;
        std::uint16_t port = 0;
        bool tls = false;
        std::optional<std::string> tls_options;
        std::uint32_t timeout = 1000;
    };
    using Metadata = BatchMetadata;
    static constexpr std::string_view name = "tcp-logger";
    static constexpr int priority = 405;
    static constexpr auto schema = logger_schema<Settings>(
        config::field("host", &Settings::host, "name or address of the collector", config::required),
        config::field("port", &Settings::port, "its port", config::required, config::at_least(0)),
        config::field("tls", &Settings::tls, "over TLS; the certificate is not verified"),
        config::field("tls_options", &Settings::tls_options, "name that the collector is asked for (SNI)"),
        config::field("timeout", &Settings::timeout, "milliseconds for each step", config::at_least(1)));
    static void check(const Settings& settings, config::Errors& errors) { check_entry(settings, errors); }

    TcpLogger(const Settings& settings, BuildScope& scope)
        : BatchLogger(settings, read_metadata<TcpLogger>(scope), name, counts),
          target_{settings.host, settings.port, settings.tls, settings.tls_options.value_or(""),
                  Milliseconds(settings.timeout)} {}

private:
    std::unique_ptr<delivery::Sender> make_sender(delivery::Dispatch& dispatch) const override {
        return std::make_unique<delivery::TcpSender>(dispatch.reactor, dispatch.resolver, target_, single());
    }
    delivery::SocketTarget target_;
};
const Registration<TcpLogger> registration;

}  // namespace
}  // namespace gateway::plugins
