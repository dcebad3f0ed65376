#include "libgateway/redis/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/system/errc.hpp>
#include <cerrno>
#include <cstring>

namespace gateway::redis {

namespace {

std::string system_text(int number) {
    return std::string(std::strerror(number));
}

// A server that refuses us says so only here (RFC 8446, 4.6.2: no wait for our certificate).
std::string loss_of(const net::Stream& stream, const net::IoResult& result) {
    const error_code code = stream.why(result);
    return code.category() == net::tls_category() ? "TLS: " + code.message() : std::string("connection lost");
}

}  // namespace

struct Server::Connection {
    explicit Connection(std::size_t& count) noexcept : open(count) { ++open; }
    ~Connection() { --open; }
    net::Stream stream;
    ReplyReader replies;
    bool greeted = false, heard = false;  // AUTH and SELECT are done; bytes came since the last command
    std::int64_t idle_since_ms = 0;
    std::size_t& open;
};

Server::Server(net::Reactor& reactor, net::Resolver& resolver, Target target)
    : reactor_(reactor), resolver_(resolver), target_(std::move(target)) {
    using Check = net::TlsPeer::Check;
    if (target_.tls) peer_ = make_ref<net::TlsPeer>(target_.host, target_.tls_check ? Check::certificate : Check::none);
}
Server::~Server() {
    idle_.clear();
}

void Server::drop_expired() noexcept {
    const std::int64_t before = reactor_.now_ms() - target_.keepalive.count();
    const auto fresh =
        std::find_if(idle_.begin(), idle_.end(), [&](const ConnectionPtr& one) { return one->idle_since_ms > before; });
    idle_.erase(idle_.begin(), fresh);
}

Server::ConnectionPtr Server::take_idle() {
    drop_expired();
    while (!idle_.empty()) {
        ConnectionPtr newest = std::move(idle_.back());
        idle_.pop_back();
        if (newest->stream.silent()) return newest;
    }
    return nullptr;
}

void Server::give_back(ConnectionPtr connection) {
    connection->idle_since_ms = reactor_.now_ms();
    idle_.push_back(std::move(connection));
    drop_expired();
    if (idle_.size() > target_.keepalive_pool) idle_.erase(idle_.begin());
}

Task<std::string> Server::open_socket(Connection& connection, Until until, net::Sleeper& sleeper) {
    auto address = net::parse_literal(target_.host, target_.port);
    if (!address) {
        auto resolved = co_await resolver_.resolve(target_.host, target_.port, nullptr);
        if (!resolved) co_return "cannot resolve " + target_.host;
        address = *resolved;
    }
    UniqueFd fd(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) co_return system_text(errno);
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd.get(), address->get(), address->size) != 0 && errno != EINPROGRESS) co_return system_text(errno);
    if (!connection.stream.open(reactor_, std::move(fd), 0)) co_return system_text(errno);
    net::Descriptor& descriptor = connection.stream.descriptor();
    if (until.left().count() == 0) co_return "timeout";
    const net::Woke woke = co_await sleeper.wait(descriptor, net::writable | net::hangup, until.left());
    if (woke != net::Woke::ready) co_return "timeout";
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    co_return error == 0 ? std::string() : system_text(error);
}

Task<std::string> Server::connect(Connection& connection, Until until, net::Sleeper& sleeper) {
    std::string failure = co_await open_socket(connection, until, sleeper);
    if (!failure.empty() || !peer_) co_return failure;
    if (until.left().count() == 0) co_return "timeout";
    const error_code code = co_await net::start_tls(connection.stream, peer_, until.left(), sleeper);
    if (code == boost::system::errc::timed_out) co_return "timeout";
    co_return code ? "TLS: " + code.message() : std::string();
}

Task<std::string> Server::send(Connection& connection, const std::string& bytes, Until until, net::Sleeper& sleeper) {
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const iovec part{const_cast<char*>(rest.data()), rest.size()};
        const net::IoResult result = connection.stream.write(&part, 1);
        if (result.state == net::IoState::done) {
            rest.remove_prefix(result.bytes);
            continue;
        }
        if (result.state != net::IoState::would_block) co_return loss_of(connection.stream, result);
        if (until.left().count() == 0) co_return "timeout";
        const net::Woke woke = co_await sleeper.wait(connection.stream.descriptor(),
                                                     connection.stream.to_write() | net::gone, until.left());
        if (woke != net::Woke::ready) co_return "timeout";
        if (connection.stream.descriptor().has(net::gone)) co_return "connection lost";
    }
    co_return std::string();
}

Task<std::string> Server::receive(Connection& connection, Reply& reply, Until until, net::Sleeper& sleeper) {
    std::array<char, 4096> buffer;
    for (;;) {
        const ReplyReader::State state = connection.replies.next(reply);
        if (state == ReplyReader::State::complete) co_return std::string();
        if (state == ReplyReader::State::broken) co_return "not a reply of Redis";
        const net::IoResult got = connection.stream.read(buffer);
        if (got.state == net::IoState::done) {
            connection.heard = true;
            connection.replies.feed({buffer.data(), got.bytes});
            continue;
        }
        if (got.state != net::IoState::would_block) co_return loss_of(connection.stream, got);
        if (until.left().count() == 0) co_return "timeout";
        const net::Woke woke = co_await sleeper.wait(connection.stream.descriptor(),
                                                     connection.stream.to_read() | net::hangup, until.left());
        if (woke != net::Woke::ready) co_return "timeout";
        // A reset shows as an end only: the next read tells.
        connection.stream.descriptor().raise(net::readable);
    }
}

// AUTH and SELECT travel in front of the first command.
std::string Server::greeting(std::size_t& count) const {
    std::string bytes;
    count = 0;
    if (!target_.password.empty()) {
        if (target_.username.empty()) {
            append_command(bytes, {"AUTH", target_.password});
        } else {
            append_command(bytes, {"AUTH", target_.username, target_.password});
        }
        ++count;
    }
    if (target_.database != 0) {
        append_command(bytes, {"SELECT", std::to_string(target_.database)});
        ++count;
    }
    return bytes;
}

Task<Answer> Server::converse(Connection& connection, const std::string& bytes, std::size_t count, Until until) {
    net::Sleeper sleeper(reactor_);
    Answer answer;
    connection.heard = false;
    std::size_t greetings = 0;
    std::string all;
    if (!connection.stream.is_open()) {
        const Milliseconds limit = target_.connect_timeout;
        answer.failure = co_await connect(connection, limit.count() > 0 ? until.at_most(limit) : until, sleeper);
        if (!answer) co_return answer;
        all = greeting(greetings);
    }
    all += bytes;
    const Until talking = until.at_most(target_.timeout);
    answer.failure = co_await send(connection, all, talking, sleeper);
    for (std::size_t i = 0; i < greetings + count && answer.failure.empty(); ++i) {
        answer.failure = co_await receive(connection, answer.reply, talking, sleeper);
        if (answer && i < greetings && answer.reply.is_error()) answer.failure = answer.reply.text;
    }
    connection.greeted = answer.failure.empty();
    co_return answer;
}

Task<Answer> Server::ask(const std::string& bytes, std::size_t count, Until until) {
    ConnectionPtr connection = take_idle();
    bool fresh = !connection;
    for (;;) {
        if (fresh) connection = std::make_unique<Connection>(open_);
        Answer answer = co_await converse(*connection, bytes, count, until);
        if (answer) {
            give_back(std::move(connection));
            if (answer.reply.is_error()) answer.failure = answer.reply.text;
            co_return answer;
        }
        if (fresh || connection->heard || answer.failure != "connection lost") co_return answer;
        fresh = true;
    }
}

Task<Answer> Server::command(std::span<const std::string_view> words, std::size_t) {
    std::string bytes;
    append_command(bytes, words);
    Answer answer = co_await ask(bytes, 1, Until(reactor_, target_.timeout));
    co_return answer;
}

Task<Answer> Server::eval(const Script& script, std::string_view key, std::span<const std::string_view> arguments) {
    const Until until(reactor_, target_.timeout);
    std::string bytes;
    append_eval(bytes, script, true, key, arguments);
    Answer answer = co_await ask(bytes, 1, until);
    if (!is_unknown_script(answer)) co_return answer;
    bytes.clear();
    append_eval(bytes, script, false, key, arguments);
    answer = co_await ask(bytes, 1, until);
    co_return answer;
}

void append_eval(std::string& to, const Script& script, bool by_digest, std::string_view key,
                 std::span<const std::string_view> arguments) {
    std::vector<std::string_view> words{by_digest ? "EVALSHA" : "EVAL", by_digest ? script.digest() : script.source(),
                                        "1", key};
    words.insert(words.end(), arguments.begin(), arguments.end());
    append_command(to, words);
}

bool is_unknown_script(const Answer& answer) noexcept {
    return answer.failure.rfind("NOSCRIPT", 0) == 0;
}

}  // namespace gateway::redis
