// HTTP requests of the gateway's own: one exchange with a service that a plugin asks, bounded in time and size.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libgateway/base/task.hpp"
#include "libgateway/http/head.hpp"
#include "libgateway/net/buffer_pool.hpp"
#include "libgateway/net/resolver.hpp"
#include "libgateway/net/wait.hpp"
#include "libgateway/upstream/endpoint.hpp"
#include "libgateway/upstream/pool.hpp"

namespace gateway::client {

// Where a service is; compiled with the configuration.
struct Url {
    bool tls = false, check_certificate = true;
    std::string host;  // name or address, IPv6 without brackets
    std::uint16_t port = 80;
    std::string authority;  // value of Host: port only where it is not the scheme's
    std::string target;     // path and query, "/" at least
};
// `http://` or `https://`, host, optional port, path and query; nothing if it is none of that.
std::optional<Url> parse_url(std::string_view text);

struct Limits {
    Milliseconds connect{3000}, send{3000}, read{3000};  // each wait
    Milliseconds whole{120'000};                         // all of it, however steadily it trickles
    std::uint64_t body = 1 << 20;                        // bytes of an answer's body; more is an error
    bool keep_body = true;                               // false: it is read and forgotten, whatever its size
    bool keep_alive = true;
    bool repeat_any = false;  // a POST or PATCH too is sent again when the waiting connection was dead
    upstream::PoolLimits pool{5, 1000, Milliseconds(60'000)};
};

// Content-Length, Connection and their like are the client's own, and Host unless it is given.
struct Request {
    http::Verb method = http::Verb::get;
    std::string_view method_text = "GET";
    std::string_view target;  // empty: the URL's
    std::string_view host;    // empty: the URL's
    std::span<const http::Field> fields;
    std::string_view body;
};

enum class Failure : std::uint8_t {
    none,
    unresolved,
    connect_refused,
    connect_timeout,
    tls_failed,
    send_failed,
    send_timeout,
    read_timeout,
    closed,
    invalid,             // not HTTP, or a head larger than 32 KiB
    too_large,           // the body
    invalid_characters,  // of the request: nothing was sent
    cancelled,
};
std::string_view name_of(Failure failure) noexcept;

// An answer, whole. Head and body view the blocks that it holds.
struct Answer {
    Failure failure = Failure::none;
    error_code cause;                          // of tls_failed, closed and send_failed, if it is known
    const http::ResponseHead* head = nullptr;  // null unless the failure is `none`
    std::string_view body;

    net::Buffer head_block, body_block;
};

// For logs: "connection refused", "TLS handshake failed: certificate verify failed: hostname mismatch".
std::string describe(const Answer& answer);

// One per worker. Connections wait in the worker's pool, apart from those of upstreams.
class Client {
public:
    Client(net::Reactor& reactor, net::Resolver& resolver, net::BufferPool& buffers, upstream::EndpointTable& endpoints,
           upstream::Pool& pool) noexcept
        : reactor_(reactor), resolver_(resolver), buffers_(buffers), endpoints_(endpoints), pool_(pool) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    // Ends what tell() has begun; nothing else may be under way.
    ~Client();

    // Fills `answer`. Redirects are not followed, interim answers are skipped. A waiting connection that turns out to
    // be dead before anything was answered is replaced once, unless the method is POST or PATCH (or repeat_any).
    // Nothing is thrown. All references must live until the task has ended.
    Task<void> send(const Url& url, const Request& request, const Limits& limits, Answer& answer);
    // Sends a copy of the request and lets go of it: nobody learns how it went but the log. False, with nothing sent:
    // too many of them are under way, or the request cannot be written.
    bool tell(const Url& url, const Request& request, const Limits& limits);
    std::uint32_t telling() const noexcept { return telling_; }
    std::uint32_t most_telling = 1024;

private:
    friend class Attempt;
    struct Message;
    class Telling;
    Task<void> exchange(const Message& message, net::Sleeper& sleeper, Answer& answer);
    Task<void> run_telling(Message message);

    net::Reactor& reactor_;
    net::Resolver& resolver_;
    net::BufferPool& buffers_;
    upstream::EndpointTable& endpoints_;
    upstream::Pool& pool_;
    Telling* tellings_ = nullptr;
    std::uint32_t telling_ = 0;
};

}  // namespace gateway::client
