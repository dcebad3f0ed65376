#include "libgateway/etcd/connection.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "libgateway/etcd/tls.hpp"

namespace gateway::etcd {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using beast::error_code;

constexpr std::uint32_t longest_head = 16384;
constexpr std::size_t read_size = 64 << 10;

Failure lost(const std::string& member, std::string_view doing, const error_code& error) {
    const bool late = error == beast::error::timeout;
    return {Cause::unavailable,
            member + ": " + std::string(doing) + ": " + (late ? std::string("no answer in time") : error.message())};
}

struct Lookup {
    explicit Lookup(asio::io_context& loop) : resolver(loop), done(loop, asio::steady_timer::time_point::max()) {}
    tcp::resolver resolver;
    asio::steady_timer done;
    std::vector<tcp::endpoint> found;
    error_code error = asio::error::timed_out;
};

// The system's resolver cannot be hurried; who asked goes on without it when the time is over.
asio::awaitable<std::vector<tcp::endpoint>> addresses_of(asio::io_context& loop, const Member& member,
                                                         const std::string& name, Clock::time_point until) {
    error_code not_numeric;
    const auto address = asio::ip::make_address(member.host, not_numeric);
    if (!not_numeric)
        co_return std::vector<tcp::endpoint>(
            1, tcp::endpoint(address, static_cast<std::uint16_t>(std::stoi(member.port))));
    const auto lookup = std::make_shared<Lookup>(loop);
    lookup->done.expires_at(until);
    lookup->resolver.async_resolve(member.host, member.port,
                                   [lookup](error_code error, tcp::resolver::results_type all) {
                                       lookup->error = error;
                                       for (const auto& one : all) lookup->found.push_back(one.endpoint());
                                       lookup->done.cancel();
                                   });
    co_await lookup->done.async_wait(quietly);
    if (lookup->found.empty()) throw lost(name, "cannot be resolved", lookup->error);
    co_return lookup->found;
}

// A machine that vanished without a word is noticed within half a minute, also by a watch that waits for hours.
void probe_when_idle(tcp::socket& socket) {
    const int on = 1, idle = 10, interval = 5, count = 3;
    const int fd = socket.native_handle();
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
}

}  // namespace

asio::awaitable<void> Connection::open(const Member& member, const TlsOptions& tls, Clock::time_point until) {
    name_ = member.text();
    co_await connect(member, until);
    probe_when_idle(stream_.socket());
    if (member.secure) co_await shake_hands(member, tls, until);
}

asio::awaitable<void> Connection::connect(const Member& member, Clock::time_point until) {
    const std::vector<tcp::endpoint> addresses = co_await addresses_of(loop_, member, name_, until);
    error_code last;
    for (const tcp::endpoint& address : addresses) {
        stream_.expires_at(until);
        const auto [error] = co_await stream_.async_connect(address, quietly);
        last = error;
        if (!error) co_return;
        if (error == beast::error::timeout || error == asio::error::operation_aborted) break;
    }
    throw lost(name_, "cannot connect", last);
}

asio::awaitable<void> Connection::shake_hands(const Member& member, const TlsOptions& tls, Clock::time_point until) {
    context_.emplace(make_tls(tls));
    tls_.emplace(stream_, *context_);
    const std::string& host = tls.sni.empty() ? member.host : tls.sni;
    error_code numeric;
    asio::ip::make_address(host, numeric);
    if (numeric) ::SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
    if (tls.verify) tls_->set_verify_callback(ssl::host_name_verification(host));
    stream_.expires_at(until);
    const auto [error] = co_await tls_->async_handshake(ssl::stream_base::client, quietly);
    if (error) throw lost(name_, "TLS", error);
}

asio::awaitable<void> Connection::send(std::string path, std::string body, std::string token, Clock::time_point until) {
    std::string head = "POST /v3/" + path + " HTTP/1.1\r\nHost: " + name_.substr(name_.find("//") + 2) +
                       "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    if (!token.empty()) head += "Authorization: " + token + "\r\n";
    const std::string all = head + "\r\n" + body;
    answer_ = std::make_unique<Answer>();
    answer_->header_limit(longest_head);
    answer_->body_limit(boost::none);
    stream_.expires_at(until);
    error_code failed;
    if (tls_) {
        const auto [error, count] = co_await asio::async_write(*tls_, asio::buffer(all), quietly);
        failed = error;
    } else {
        const auto [error, count] = co_await asio::async_write(stream_, asio::buffer(all), quietly);
        failed = error;
    }
    if (!failed) co_return;
    Failure failure = lost(name_, "cannot send", failed);
    failure.sent = true;
    throw failure;
}

// Throws at the end of the stream too: an answer says itself where it ends.
asio::awaitable<void> Connection::read_more(Clock::time_point until) {
    const std::size_t before = unread_.size();
    unread_.resize(before + read_size);
    const auto into = asio::buffer(unread_.data() + before, read_size);
    stream_.expires_at(until);
    error_code failed;
    std::size_t got = 0;
    if (tls_) {
        const auto [error, count] = co_await tls_->async_read_some(into, quietly);
        failed = error;
        got = count;
    } else {
        const auto [error, count] = co_await stream_.async_read_some(into, quietly);
        failed = error;
        got = count;
    }
    unread_.resize(before + got);
    if (!failed) co_return;
    const bool gone = failed == asio::error::eof || failed == ssl::error::stream_truncated;
    Failure failure =
        gone ? Failure(Cause::unavailable, name_ + ": it ended the connection") : lost(name_, "cannot receive", failed);
    if (failed == beast::error::timeout && answer_->is_header_done()) failure.cause = Cause::idle;
    throw failure;
}

std::size_t Connection::parse(error_code& error) {
    const std::size_t used = answer_->put(asio::buffer(unread_), error);
    unread_.erase(0, used);
    if (error == http::error::need_more || error == http::error::need_buffer) error = {};
    return used;
}

asio::awaitable<unsigned> Connection::read_head(Clock::time_point until) {
    while (!answer_->is_header_done()) {
        error_code error;
        std::size_t used = 0;
        if (!unread_.empty()) used = parse(error);
        if (error) throw Failure(Cause::garbled, name_ + ": the answer is no HTTP: " + error.message());
        if (used == 0 && !answer_->is_header_done()) co_await read_more(until);
    }
    co_return answer_->get().result_int();
}

asio::awaitable<bool> Connection::read_body(std::string& body, Clock::time_point until) {
    std::array<char, 16384> piece;
    while (!answer_->is_done()) {
        auto& into = answer_->get().body();
        into.data = piece.data();
        into.size = piece.size();
        error_code error;
        std::size_t used = 0;
        if (!unread_.empty()) used = parse(error);
        if (error) throw Failure(Cause::garbled, name_ + ": the answer is no HTTP: " + error.message());
        const std::size_t got = piece.size() - answer_->get().body().size;
        body.append(piece.data(), got);
        if (got != 0) co_return true;
        if (used == 0 && !answer_->is_done()) co_await read_more(until);
    }
    co_return false;
}

bool Connection::reusable() const {
    return answer_ && answer_->is_done() && answer_->keep_alive() && unread_.empty();
}

bool Connection::alive() {
    char byte = 0;
    const ssize_t got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::close() {
    stream_.close();
}

}  // namespace gateway::etcd
