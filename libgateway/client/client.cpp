#include "libgateway/client/client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "libgateway/http/chunked.hpp"
#include "libgateway/http/head_parser.hpp"
#include "libgateway/net/wait.hpp"

namespace gateway::client {

using http::BodyKind;

namespace {

bool is_clean(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127; });
}

bool is_own(http::FieldName id) noexcept {
    switch (id) {
        case http::FieldName::host:
        case http::FieldName::content_length:
        case http::FieldName::transfer_encoding:
        case http::FieldName::connection:
        case http::FieldName::keep_alive:
        case http::FieldName::te:
        case http::FieldName::trailer:
        case http::FieldName::upgrade:
        case http::FieldName::expect:
            return true;
        default:
            return false;
    }
}

// The head; nothing if something in it could break it apart.
std::optional<std::string> write_head(const Url& url, const Request& request, bool keep_alive) {
    const std::string_view target = request.target.empty() ? std::string_view(url.target) : request.target;
    if (!is_clean(target) || target.find(' ') != std::string_view::npos) return std::nullopt;
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method_text, target, url.authority);
    for (const http::Field& field : request.fields ? *request.fields : http::Fields()) {
        if (is_own(field.id)) continue;
        if (!is_clean(field.name) || !is_clean(field.value)) return std::nullopt;
        head.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    const bool carries = !request.body.empty() || request.method == http::Verb::post ||
                         request.method == http::Verb::put || request.method == http::Verb::patch;
    if (carries) head += fmt::format("Content-Length: {}\r\n", request.body.size());
    if (!keep_alive) head += "Connection: close\r\n";
    return head + "\r\n";
}

}  // namespace

// One attempt on one connection.
class Client::Exchange {
public:
    Exchange(Client& client, const Request& request, const Limits& limits, Answer& answer)
        : client_(client), request_(request), limits_(limits), answer_(answer), sleeper_(client.reactor_) {}

    Task<Failure> connect(upstream::Endpoint& endpoint);
    bool take_idle(upstream::Endpoint& endpoint) {
        lease_ = client_.pool_.take_idle(endpoint, true);
        return static_cast<bool>(lease_);
    }
    Task<Failure> talk(std::string_view head);
    bool heard_something() const noexcept { return size_ > 0; }

private:
    Task<Failure> write(std::string_view head);
    Task<Failure> read_head();
    Task<Failure> read_body();
    // More bytes of the connection behind those in the block; `closed` is no failure here.
    Task<Failure> read_some(std::span<char> into, std::size_t& got);
    Failure keep(std::string_view piece);

    Client& client_;
    const Request& request_;
    const Limits& limits_;
    Answer& answer_;
    net::Sleeper sleeper_;
    upstream::Lease lease_;
    std::size_t size_ = 0, begin_ = 0;
};

Task<Failure> Client::Exchange::connect(upstream::Endpoint& endpoint) {
    net::SocketAddress address = endpoint.literal_address();
    if (!endpoint.is_literal()) {
        Result<net::SocketAddress> found =
            co_await client_.resolver_.resolve(endpoint.host(), endpoint.port(), nullptr);
        if (found.has_error()) co_return Failure::unresolved;
        address = *found;
    }
    Result<upstream::Lease> lease =
        co_await client_.pool_.connect(endpoint, address, limits_.connect, sleeper_, nullptr);
    if (lease.has_error()) {
        if (!endpoint.is_literal()) client_.resolver_.expire(endpoint.host());
        const bool late = lease.error().code == boost::system::errc::timed_out;
        co_return late ? Failure::connect_timeout : Failure::connect_refused;
    }
    lease_ = std::move(*lease);
    co_return Failure::none;
}

Task<Failure> Client::Exchange::write(std::string_view head) {
    std::string_view body = request_.body;
    while (!head.empty() || !body.empty()) {
        const iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                                {const_cast<char*>(body.data()), body.size()}};
        const net::IoResult sent = lease_.stream().write(parts, 2);
        if (sent.state == net::IoState::would_block) {
            const net::Woke woke = co_await sleeper_.wait(lease_.stream().descriptor(), net::writable, limits_.send);
            if (woke != net::Woke::ready) co_return Failure::send_timeout;
            continue;
        }
        // What stopped reading may have answered already.
        if (sent.state != net::IoState::done) co_return Failure::send_failed;
        const std::size_t of_head = std::min(sent.bytes, head.size());
        head.remove_prefix(of_head);
        body.remove_prefix(sent.bytes - of_head);
    }
    co_return Failure::none;
}

Task<Failure> Client::Exchange::read_some(std::span<char> into, std::size_t& got) {
    got = 0;
    for (;;) {
        const net::IoResult result = lease_.stream().read(into);
        if (result.state == net::IoState::done) got = result.bytes;
        if (result.state == net::IoState::failed) co_return Failure::closed;
        if (result.state != net::IoState::would_block) co_return Failure::none;
        const net::Woke woke = co_await sleeper_.wait(lease_.stream().descriptor(), net::readable, limits_.read);
        if (woke != net::Woke::ready) co_return Failure::read_timeout;
    }
}

Task<Failure> Client::Exchange::read_head() {
    http::HeadLimits limits;
    net::Buffer& block = answer_.block;
    if (!block) block = client_.buffers_.take(limits.head + 4096);
    for (std::size_t scanned = 0;;) {
        const std::string_view unread(block.data() + begin_, size_ - begin_);
        if (!unread.empty()) {
            const auto result = http::parse_response(unread, scanned, limits, request_.method, answer_.head);
            if (result.state == http::HeadState::failed) co_return Failure::invalid;
            scanned = unread.size();
            if (result.state == http::HeadState::complete) {
                begin_ += result.consumed;
                scanned = 0;
                if (answer_.head.status == 101) co_return Failure::invalid;
                if (answer_.head.status >= 200) co_return Failure::none;
                continue;
            }
        }
        if (size_ == block.size()) co_return Failure::invalid;
        std::size_t got = 0;
        const Failure failure = co_await read_some(block.from(size_), got);
        if (failure != Failure::none) co_return failure;
        if (got == 0) co_return Failure::closed;
        size_ += got;
    }
}

Failure Client::Exchange::keep(std::string_view piece) {
    if (piece.size() > limits_.body - answer_.memory.size()) return Failure::too_large;
    answer_.memory.append(piece);
    return Failure::none;
}

Task<Failure> Client::Exchange::read_body() {
    const http::BodyFraming framing = answer_.head.body;
    std::string_view pending(answer_.block.data() + begin_, size_ - begin_);
    if (framing.kind == BodyKind::length && framing.length > limits_.body) co_return Failure::too_large;
    http::ChunkDecoder chunks;
    net::Buffer more;
    bool ended = framing.kind == BodyKind::none;
    while (!ended) {
        Failure failure = Failure::none;
        while (!pending.empty() && !ended && failure == Failure::none) {
            if (framing.kind == BodyKind::chunked) {
                const auto out = chunks.feed(pending);
                if (out.event == http::ChunkDecoder::Event::error) co_return Failure::invalid;
                if (out.event == http::ChunkDecoder::Event::data) failure = keep(out.data);
                ended = out.event == http::ChunkDecoder::Event::end;
                pending.remove_prefix(out.consumed);
                continue;
            }
            const bool counted = framing.kind == BodyKind::length;
            const std::string_view piece =
                counted ? pending.substr(0, framing.length - answer_.memory.size()) : pending;
            failure = keep(piece);
            pending.remove_prefix(piece.size());
            if (counted && answer_.memory.size() == framing.length) break;
        }
        if (failure != Failure::none) co_return failure;
        ended = ended || (framing.kind == BodyKind::length && answer_.memory.size() == framing.length);
        if (ended) break;
        if (!more) more = client_.buffers_.take(16384);
        std::size_t got = 0;
        failure = co_await read_some(more.from(0), got);
        if (failure != Failure::none) co_return failure;
        if (got == 0 && framing.kind != BodyKind::until_close) co_return Failure::closed;
        ended = got == 0;
        pending = {more.data(), got};
    }
    answer_.body = answer_.memory;
    const bool clean = pending.empty() && framing.kind != BodyKind::until_close && answer_.head.keep_alive;
    if (clean && limits_.keep_alive) std::move(lease_).give_back(limits_.pool);
    co_return Failure::none;
}

Task<Failure> Client::Exchange::talk(std::string_view head) {
    Failure failure = co_await write(head);
    const bool unheard = failure == Failure::send_failed;
    if (failure != Failure::none && !unheard) co_return failure;
    if (unheard) lease_.stream().descriptor().raise(net::readable);
    failure = co_await read_head();
    if (failure == Failure::none) failure = co_await read_body();
    if (unheard && failure != Failure::none) co_return Failure::send_failed;
    co_return failure;
}

Task<void> Client::send(const Url& url, const Request& request, const Limits& limits, Answer& answer) {
    answer.failure = Failure::tls_unsupported;
    if (url.tls) co_return;
    const std::optional<std::string> head = write_head(url, request, limits.keep_alive);
    answer.failure = Failure::invalid_characters;
    if (!head) co_return;
    const Ref<upstream::Endpoint> endpoint = endpoints_.get("client", url.host, url.port);
    {
        Exchange first(*this, request, limits, answer);
        const bool reused = limits.keep_alive && first.take_idle(*endpoint);
        answer.failure = Failure::none;
        if (!reused) answer.failure = co_await first.connect(*endpoint);
        if (answer.failure == Failure::none) answer.failure = co_await first.talk(*head);
        const bool once = request.method == http::Verb::post || request.method == http::Verb::patch;
        const bool stale = reused && !once && !first.heard_something() &&
                           (answer.failure == Failure::closed || answer.failure == Failure::send_failed);
        if (!stale) co_return;
    }
    Exchange again(*this, request, limits, answer);
    answer.failure = co_await again.connect(*endpoint);
    if (answer.failure == Failure::none) answer.failure = co_await again.talk(*head);
}

}  // namespace gateway::client
