// HTTP requests of the gateway's own: one exchange with a service that a plugin asks, bounded in time and size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/base/error.hpp"
#include "libgateway/base/task.hpp"
#include "libgateway/http/head.hpp"
#include "libgateway/net/buffer_pool.hpp"
#include "libgateway/net/resolver.hpp"
#include "libgateway/upstream/endpoint.hpp"
#include "libgateway/upstream/pool.hpp"

namespace gateway::client {

// Where a service is; compiled with the configuration.
struct Url {
    bool tls = false;
    std::string host;  // name or address, IPv6 without brackets
    std::uint16_t port = 80;
    std::string authority;  // value of Host: port only where it is not the scheme's
    std::string target;     // path and query, "/" at least
};
// `http://` or `https://`, host, optional port, path and query; nothing if it is none of that.
std::optional<Url> parse_url(std::string_view text);

struct Limits {
    Milliseconds connect{3000}, send{3000}, read{3000};  // each wait
    std::uint64_t body = 1 << 20;                        // bytes of an answer's body; more is an error
    bool keep_alive = true;
    upstream::PoolLimits pool{5, 1000, Milliseconds(60'000)};
};

// Views live until the answer is there. Host, Content-Length and Connection are the client's own.
struct Request {
    http::Verb method = http::Verb::get;
    std::string_view method_text = "GET";
    std::string_view target;  // empty: the URL's
    const http::Fields* fields = nullptr;
    std::string_view body;
};

enum class Failure : std::uint8_t {
    none,
    tls_unsupported,
    unresolved,
    connect_refused,
    connect_timeout,
    send_failed,
    send_timeout,
    read_timeout,
    closed,
    invalid,             // not HTTP, or a head larger than 32 KiB
    too_large,           // the body
    invalid_characters,  // of the request: nothing was sent
};
// For logs: "connection refused".
std::string_view name_of(Failure failure) noexcept;

// An answer, whole. Head and body are views of what it holds.
struct Answer {
    Failure failure = Failure::none;
    http::ResponseHead head;
    std::string_view body;

    net::Buffer block;   // of the head
    std::string memory;  // of the body
};

// One per worker; outlives every request. Connections wait in the worker's pool, apart from those of upstreams.
class Client {
public:
    Client(net::Reactor& reactor, net::Resolver& resolver, net::BufferPool& buffers, upstream::EndpointTable& endpoints,
           upstream::Pool& pool) noexcept
        : reactor_(reactor), resolver_(resolver), buffers_(buffers), endpoints_(endpoints), pool_(pool) {}

    // Fills `answer`. Redirects are not followed, interim answers are skipped. A waiting connection that turns out
    // to be dead before anything was answered is replaced once, unless the method is POST or PATCH. Ends within connect
    // + send + read limits between two pieces; nothing is thrown. All references must live until the task has ended.
    Task<void> send(const Url& url, const Request& request, const Limits& limits, Answer& answer);

private:
    class Exchange;
    net::Reactor& reactor_;
    net::Resolver& resolver_;
    net::BufferPool& buffers_;
    upstream::EndpointTable& endpoints_;
    upstream::Pool& pool_;
};

}  // namespace gateway::client
