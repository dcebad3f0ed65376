#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "libgateway/delivery/senders.hpp"
#include "libplugins/common/logger.hpp"

namespace gateway::plugins {
namespace {

thread_local delivery::OutboxCounts counts;

class Syslog final : public BatchLogger {
public:
    struct Settings : BatchSettings {
        Settings() { name = "sys logger"; }
        std::string host, sock_type = "tcp";
        std::uint16_t port = 0;
        bool tls = false;
        std::uint32_t timeout = 3000, pool_size = 5;
        std::size_t flush_limit = 4096;
        std::int64_t drop_limit = 1048576;
    };
    using Metadata = BatchMetadata;
    static constexpr std::string_view name = "syslog";
    static constexpr int priority = 401;
    static constexpr auto schema = logger_schema<Settings>(
        config::field("host", &Settings::host, "name or address of the server", config::required),
        config::field("port", &Settings::port, "its port", config::required),
        config::field("sock_type", &Settings::sock_type, "transport", config::one_of("tcp", "udp")),
        config::field("tls", &Settings::tls, "over TLS; the certificate is not verified"),
        config::field("timeout", &Settings::timeout, "milliseconds for each step", config::at_least(1)),
        config::field("flush_limit", &Settings::flush_limit, "bytes that are gathered before they are sent",
                      config::at_least(1)),
        config::field("drop_limit", &Settings::drop_limit, "bytes that may wait; more is dropped"),
        config::field("pool_size", &Settings::pool_size, "accepted; one connection is kept", config::at_least(5)));
    static void check(const Settings& settings, config::Errors& errors) { check_entry(settings, errors); }

    Syslog(const Settings& settings, BuildScope& scope)
        : BatchLogger(settings, read_metadata<Syslog>(scope), name, counts) {
        target_.host = settings.host;
        target_.port = settings.port;
        target_.tls = settings.tls;
        target_.timeout = Milliseconds(settings.timeout);
        target_.transport = settings.sock_type == "udp" ? net::Transport::udp : net::Transport::tcp;
        target_.flush_limit = settings.flush_limit;
        target_.drop_limit = static_cast<std::size_t>(std::max<std::int64_t>(settings.drop_limit, 0));
    }

private:
    // RFC 5424: facility syslog, severity informational.
    void write(Exchange& exchange, std::string_view entry) const override {
        thread_local std::string line;
        line.clear();
        const std::int64_t now = exchange.services().now_ms();
        const std::time_t second = now / 1000;
        std::tm parts{};
        ::gmtime_r(&second, &parts);
        const std::string_view host = exchange.host.empty() ? std::string_view("-") : exchange.host;
        fmt::format_to(std::back_inserter(line),
                       "<46>1 {:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z {} apisix {} - - {}\n", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now % 1000, host,
                       ::getpid(), entry);
        BatchLogger::write(exchange, line);
    }
    std::unique_ptr<delivery::Sender> make_sender(delivery::Dispatch& dispatch) const override {
        return std::make_unique<delivery::SyslogSender>(dispatch, target_, counts);
    }
    delivery::SyslogTarget target_;
};
const Registration<Syslog> registration;

}  // namespace
}  // namespace gateway::plugins
