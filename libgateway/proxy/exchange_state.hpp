// The exchange as proxy/ keeps it: what plugins see, and beneath it both connections, both bodies, attempts and times.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "libgateway/expr/graphql.hpp"
#include "libgateway/http/forwarding.hpp"
#include "libgateway/net/buffer_pool.hpp"
#include "libgateway/plugin/chain.hpp"
#include "libgateway/plugin/exchange.hpp"
#include "libgateway/proxy/body_source.hpp"
#include "libgateway/proxy/failure_reply.hpp"
#include "libgateway/proxy/outgoing.hpp"
#include "libgateway/proxy/session.hpp"
#include "libgateway/proxy/settings.hpp"
#include "libgateway/route/match.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/telemetry/reason.hpp"
#include "libgateway/upstream/pool.hpp"

namespace gateway::proxy {

using telemetry::EndReason;

// One try at one endpoint, for the log and for variables upstream_*.
struct AttemptRecord {
    std::string_view address;  // in the arena, or of the endpoint that `target` pins
    std::string_view host;     // as configured
    std::uint16_t port = 0;
    unsigned status = 0;  // 0: no response head
    std::int32_t connect_ms = -1, header_ms = -1, response_ms = -1;
    std::uint64_t received = 0, sent = 0;
    std::int64_t started_ms = 0;
};

// Pooled by Site; between end() and begin() it holds nothing.
class ProxyExchange final : public Exchange {
public:
    explicit ProxyExchange(Site& site);

    void begin(Session& session);
    void end() noexcept;
    bool read(const expr::Variable& variable, expr::VariableValue& out) const override;
    std::string_view route_id() const noexcept override { return route ? route->route_id : std::string_view(); }
    ExchangeFacts facts() const override;
    void keep(std::uint64_t offset, std::string_view piece) {
        if (kept_limit_ != 0) keep_piece(offset, piece);
    }
    // Reads the body if the consumer's plugins need it; sets body_failure if it cannot be had.
    Task<Verdict> prepare_for(const Chain& merged) override;
    void use_consumers(const ConsumerDirectory& directory) noexcept { consumers_ = &directory; }

    Site& site() const noexcept { return session->site(); }
    net::Stream& client_stream() const noexcept { return session->stream(); }
    net::Sleeper& sleeper() const noexcept { return session->sleeper(); }

    // --- who and what, pinned for the life of the exchange
    Session* session = nullptr;
    Ref<const Settings> settings;
    Ref<const Chain> global, chain;  // chain: the route's once resolved, else empty
    Ref<const CompiledRoute> route;
    Ref<const upstream::Upstream> target;  // the route's, or the one that a plugin chose; once it is to be asked
    upstream::Timeouts timeouts;           // towards it
    route::RouteMatch match;
    http::OriginalForwarded original;
    std::string_view match_path, peer_text;
    std::string_view sent_target, sent_host;  // of the last attempt
    bool matched = false;
    mutable bool body_asked = false;  // a variable of the body was asked for before it was there
    mutable bool graphql_read = false;
    mutable expr::GraphqlOperation graphql;  // once read

    // --- client side
    net::Buffer head;  // pinned: all views of the request
    std::size_t head_size = 0, head_scanned = 0;
    BodySource upload;
    bool upload_done = true, continued = false, body_started = false;
    Failure body_failure = Failure::none;  // while the plugins of a consumer waited for it
    std::string body_storage;              // request body collected in memory
    std::string_view upload_prefix;        // collected, but not whole: goes out before the rest
    Outgoing to_client;
    net::Buffer response_head;  // serialised
    bool keep_alive = false;    // the client connection, after this exchange
    bool head_sent = false;

    // --- upstream side
    upstream::Lease lease;
    net::Buffer upstream_head;  // pinned: all views of the response
    std::size_t upstream_size = 0, upstream_scanned = 0, upstream_consumed = 0;
    BodySource download;
    Outgoing to_upstream;
    net::Buffer request_head;  // serialised
    bool upstream_reusable = false;
    std::array<AttemptRecord, 16> attempts;
    std::size_t attempt_count = 0;
    AttemptRecord& attempt() noexcept { return attempts[(attempt_count ? attempt_count : 1) - 1]; }
    std::string collected;  // response body that a plugin wants whole
    Arena chunk_arena{4096};

    // --- how it went
    EndReason reason = EndReason::completed;
    std::int64_t started_ms = 0, started_ns = 0;
    std::uint64_t bytes_sent = 0, body_bytes_sent = 0, request_length = 0;
    unsigned status = 0;  // as sent, or 499
};

}  // namespace gateway::proxy
