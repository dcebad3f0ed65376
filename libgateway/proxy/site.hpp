// What all sessions of one worker share. Made once by the worker, outlives every session.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "libgateway/delivery/dispatch.hpp"
#include "libgateway/net/buffer_pool.hpp"
#include "libgateway/net/reactor.hpp"
#include "libgateway/net/resolver.hpp"
#include "libgateway/plugin/services.hpp"
#include "libgateway/proxy/laters.hpp"
#include "libgateway/proxy/settings.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/telemetry/counters.hpp"
#include "libgateway/tls/server.hpp"
#include "libgateway/upstream/endpoint.hpp"
#include "libgateway/upstream/pool.hpp"

namespace gateway::proxy {

class ProxyExchange;
class Session;

// Receives every ended exchange while all of it is still there; writes the access log.
class ExchangeLog {
public:
    virtual ~ExchangeLog() = default;
    virtual void ended(ProxyExchange& exchange) noexcept = 0;
};

class Site final : public Services {
public:
    Site(net::Reactor& reactor, net::ResolverSettings resolver, telemetry::CounterPage& counters);
    ~Site();

    // What plugins send beside the traffic; before the snapshot, whose plugins hold parts of it.
    delivery::Dispatch deliveries;

    // --- configuration. Set before the first session; replaced between exchanges only.
    SnapshotPtr snapshot;
    Ref<const Settings> settings;
    const std::atomic<std::uint64_t>* epoch = nullptr;  // of control; null: no reload
    std::function<void()> adopt;                        // takes over the prepared revision
    // Called before each match: one load when nothing changed.
    void adopt_if_new() {
        if (epoch && epoch->load(std::memory_order_acquire) != adopted_epoch) adopt();
    }
    std::uint64_t adopted_epoch = 0;
    Ref<tls::Server> tls;  // null: no listener speaks TLS

    // --- state
    net::Reactor& reactor;
    net::BufferPool buffers;
    upstream::EndpointTable endpoints;
    upstream::Pool pool;
    net::Resolver resolver;
    redis::Hub redis_hub;
    client::Client services_asked{reactor, resolver, buffers, endpoints, pool};
    Laters laters{reactor};
    telemetry::CounterPage& counters;
    ExchangeLog* log = nullptr;
    shm::Tables* shared = nullptr;                        // null: no shared memory
    telemetry::SeriesWriter* series_page = nullptr;       // null: metrics with labels are not kept
    bool draining = false;                                // answers carry Connection: close from now on
    std::uint64_t requests = 0, accepted = 0, heard = 0;  // heard: heads that were understood

    // --- sessions, for status and drain
    void enter(Session& session);
    void leave(Session& session) noexcept;
    std::size_t session_count() const noexcept { return session_count_; }
    Session* first_session() const noexcept { return sessions_; }
    // Ends idle sessions that have waited for at least `idle`.
    void close_idle(Milliseconds idle);
    std::function<void()> session_left;  // may be empty

    // --- exchanges, pooled
    ProxyExchange& take_exchange();
    void give_exchange(ProxyExchange& exchange) noexcept;

    // "Sun, 06 Nov 1994 08:49:37 GMT", renewed once a second.
    std::string_view date() noexcept;

    // Logs a handshake that failed; at most ten a second, with how many were left out.
    void tell_handshake(std::string_view what, std::string_view client) noexcept;

    std::size_t exchanges_in_use() const noexcept { return exchanges_.size() - spare_.size(); }

    // Services
    delivery::Dispatch* dispatch() noexcept override { return &deliveries; }
    telemetry::SeriesWriter* series() noexcept override { return series_page; }
    shm::Tables* tables() noexcept override { return shared; }
    void count_plugin_throw() noexcept override { telemetry::add(counters.plugin_throws); }
    redis::Hub* redis() noexcept override { return &redis_hub; }
    Task<void> sleep(Milliseconds duration) override;
    std::function<Task<MetricsText>(Arena&)> ask_metrics;  // empty: nobody can be asked
    Task<MetricsText> metrics(Arena& arena) override {
        return ask_metrics ? ask_metrics(arena) : Services::metrics(arena);
    }
    bool later(Milliseconds after, Task<void> work) override { return laters.add(after, std::move(work)); }
    Task<void> fetch(const client::Url& url, const client::Request& request, const client::Limits& limits,
                     client::Answer& answer) override {
        return services_asked.send(url, request, limits, answer);
    }
    bool tell(const client::Url& url, const client::Request& request, const client::Limits& limits) override {
        return services_asked.tell(url, request, limits);
    }
    std::uint64_t random() noexcept override { return random_(); }
    std::int64_t now_ms() const noexcept override { return wall_ms(); }
    std::string_view server_token() const noexcept override { return settings->server; }
    std::string_view error_page_token() const noexcept override { return settings->page_token; }

private:
    Session* sessions_ = nullptr;
    std::size_t session_count_ = 0;
    std::vector<std::unique_ptr<ProxyExchange>> exchanges_;
    std::vector<ProxyExchange*> spare_;
    std::mt19937_64 random_;
    std::int64_t date_second_ = 0, told_second_ = 0;
    std::uint32_t told_ = 0, untold_ = 0;  // failed handshakes of that second, and of all since the last that was told
    std::string date_;
};

}  // namespace gateway::proxy
