#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "libgateway/delivery/senders.hpp"
#include "libgateway/http/head_parser.hpp"

namespace gateway::delivery {

namespace {

constexpr std::size_t most_answer = 32 * 1024;  // head and what is read of the body
constexpr std::size_t told_body = 256;          // of the body, in a message

// An answer as far as it was read.
struct Reading {
    std::array<char, most_answer> buffer;
    std::size_t size = 0;
    http::ResponseHead head;
    std::size_t head_size = 0;
    std::string_view body() const noexcept { return {buffer.data() + head_size, size - head_size}; }
};

// What may stand in one line of a log.
std::string printable(std::string_view text) {
    std::string line(text.substr(0, told_body));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return line;
}

// Whether the body is whole, so that the connection can be used again.
bool whole(const Reading& reading) noexcept {
    const http::BodyFraming& body = reading.head.body;
    if (body.kind == http::BodyKind::none) return reading.body().empty();
    if (body.kind == http::BodyKind::length) return reading.body().size() == body.length;
    return body.kind == http::BodyKind::chunked && reading.body().ends_with(std::string_view("\r\n0\r\n\r\n"));
}

enum class HeadStep : std::uint8_t { more, complete, broken };

// The head of the final answer; interim ones are taken out of the buffer.
HeadStep step_head(Reading& reading) {
    static const http::HeadLimits limits;
    for (;;) {
        const std::string_view bytes(reading.buffer.data(), reading.size);
        const http::HeadResult result = http::parse_response(bytes, 0, limits, http::Verb::post, reading.head);
        if (result.state == http::HeadState::failed) return HeadStep::broken;
        if (result.state == http::HeadState::need_more)
            return reading.size == most_answer ? HeadStep::broken : HeadStep::more;
        if (reading.head.status >= 200) {
            reading.head_size = result.consumed;
            return HeadStep::complete;
        }
        reading.size -= result.consumed;
        std::memmove(reading.buffer.data(), reading.buffer.data() + result.consumed, reading.size);
    }
}

bool enough(const Reading& reading) noexcept {
    return whole(reading) || reading.size == most_answer ||
           (reading.head.body.kind == http::BodyKind::length && reading.body().size() >= reading.head.body.length);
}

}  // namespace

HttpSender::HttpSender(net::Reactor& reactor, net::Resolver& resolver, HttpTarget target, Joining joining)
    : reactor_(reactor), resolver_(resolver), target_(std::move(target)), joining_(joining) {}

Task<std::string> HttpSender::connect(net::Outbound& connection) {
    std::string error = co_await connection.connect(target_.host, target_.port, net::Transport::tcp, target_.timeout);
    if (!error.empty())
        co_return fmt::format("failed to connect to host[{}] port[{}] {}", target_.host, target_.port, error);
    if (!target_.tls) co_return std::string();
    const net::TlsWish wish{target_.host, target_.verify};
    error = co_await connection.start_tls(wish, target_.timeout);
    if (!error.empty())
        error = fmt::format("failed to perform SSL with host[{}] port[{}] {}", target_.host, target_.port, error);
    co_return error;
}

Task<std::string> HttpSender::exchange(net::Outbound& connection, const std::string& bytes, bool& heard, bool& keep) {
    const auto problem = [this](std::string_view why) {
        return fmt::format("error while sending data to [{}] port[{}] {}", target_.host, target_.port, why);
    };
    std::string error = co_await connection.write(bytes, target_.timeout);
    if (!error.empty()) co_return problem(error);
    const auto reading = std::make_unique<Reading>();
    for (;;) {
        std::size_t got = 0;
        error = co_await connection.read(std::span(reading->buffer).subspan(reading->size), got, target_.timeout);
        if (!error.empty()) co_return problem(error);
        heard = heard || got > 0;
        reading->size += got;
        if (reading->head_size == 0) {
            const HeadStep step = step_head(*reading);
            if (step == HeadStep::broken) co_return problem("no HTTP answer");
            if (step == HeadStep::more && got == 0) co_return problem("connection closed before an answer");
            if (step == HeadStep::more) continue;
        }
        if (got == 0 || enough(*reading)) break;
    }
    keep = reading->head.keep_alive && whole(*reading);
    if (reading->head.status < 400) co_return std::string();
    co_return fmt::format("server returned status code[{}] host[{}] port[{}] body[{}]", reading->head.status,
                          target_.host, target_.port, printable(reading->body()));
}

// A connection that was idle and died before it said anything is replaced once.
Task<Sent> HttpSender::send(const Batch& batch) {
    std::string body;
    if (joining_ == Joining::lines) {
        batch.join(body, "\n");
    } else {
        body = json_body(batch, joining_ == Joining::single);
    }
    std::string bytes = fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
                                    target_.path, target_.authority, target_.content_type, body.size());
    if (!target_.authorization.empty()) bytes.append("Authorization: ").append(target_.authorization).append("\r\n");
    bytes.append("\r\n").append(body);
    for (;;) {
        std::unique_ptr<net::Outbound> connection = std::move(idle_);
        if (connection && connection->disturbed()) connection.reset();
        const bool reused = static_cast<bool>(connection);
        Sent sent;
        if (!reused) {
            connection = std::make_unique<net::Outbound>(reactor_, resolver_);
            sent.error = co_await connect(*connection);
            if (!sent.error.empty()) co_return sent;
        }
        bool heard = false, keep = false;
        sent.error = co_await exchange(*connection, bytes, heard, keep);
        if (keep) idle_ = std::move(connection);
        if (!sent.error.empty() && reused && !heard) continue;
        co_return sent;
    }
}

}  // namespace gateway::delivery
