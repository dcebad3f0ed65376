#include "libgateway/delivery/senders.hpp"
#include "libplugins/common/logger.hpp"

namespace gateway::plugins {
namespace {

thread_local delivery::OutboxCounts counts;

class UdpLogger final : public BatchLogger {
public:
    struct Settings : BatchSettings {
        Settings() { name = "udp logger"; }
        std::string host;
        std::uint16_t port = 0;
        std::uint32_t timeout = 3;
    };
    using Metadata = BatchMetadata;
    static constexpr std::string_view name = "udp-logger";
    static constexpr int priority = 400;
    static constexpr auto schema = logger_schema<Settings>(
        config::field("host", &Settings::host, "name or address of the collector", config::required),
        config::field("port", &Settings::port, "its port", config::required, config::at_least(0)),
        config::field("timeout", &Settings::timeout, "seconds for each step", config::at_least(1)));
    static void check(const Settings& settings, config::Errors& errors) { check_entry(settings, errors); }

    UdpLogger(const Settings& settings, BuildScope& scope)
        : BatchLogger(settings, read_metadata<UdpLogger>(scope), name, counts),
          target_{settings.host, settings.port, false, {}, Milliseconds(1000LL * settings.timeout)} {}

private:
    std::unique_ptr<delivery::Sender> make_sender(delivery::Dispatch& dispatch) const override {
        return std::make_unique<delivery::UdpSender>(dispatch.reactor, dispatch.resolver, target_, single());
    }
    delivery::SocketTarget target_;
};
const Registration<UdpLogger> registration;

}  // namespace
}  // namespace gateway::plugins
