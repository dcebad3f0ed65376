#include "tests/support/scripted_upstream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace gateway::test {

using namespace std::chrono_literals;

ScriptedUpstream::ScriptedUpstream(Answer answer)
    : listener_(listen_on_free_port(port_)), answer_(std::move(answer)), acceptor_([this] { accept_all(); }) {}

ScriptedUpstream::ScriptedUpstream(Raw, Talk talk)
    : listener_(listen_on_free_port(port_)), talk_(std::move(talk)), acceptor_([this] { accept_all(); }) {}

ScriptedUpstream::~ScriptedUpstream() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (auto& guest : guests_) {
        ::shutdown(guest.connection.descriptor(), SHUT_RDWR);
        guest.thread.join();
    }
}

void ScriptedUpstream::accept_all() {
    while (!stopping_) {
        UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!socket) continue;
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        reap_done();
        auto& guest = guests_.emplace_back();
        guest.connection = Connection(std::move(socket));
        guest.connection.set_limit(60s);
        ++accepted_;
        ++open_;
        guest.thread = std::thread([this, &guest] {
            try {
                talk_ ? talk_(guest.connection) : serve(guest.connection);
            } catch (const ConnectionError&) {
                // the other side went away, which is its right
            }
            guest.connection.half_close();
            --open_;
            guest.done = true;
        });
    }
}

// Only the accepting thread touches the list while it runs. The descriptor stays until then, so that the destructor
// never shuts down a number that someone else got meanwhile.
void ScriptedUpstream::reap_done() {
    for (auto guest = guests_.begin(); guest != guests_.end();) {
        if (!guest->done) {
            ++guest;
            continue;
        }
        guest->thread.join();
        guest = guests_.erase(guest);
    }
}

void ScriptedUpstream::serve(Connection& connection) {
    while (connection.descriptor() >= 0) {
        if (connection.pending().empty() && !connection.fill()) return;
        const Message request = read_request(connection);
        {
            const std::scoped_lock lock(mutex_);
            requests_.push_back(request);
        }
        current()(connection, request);
    }
}

void ScriptedUpstream::script(Answer answer) {
    const std::scoped_lock lock(mutex_);
    answer_ = std::move(answer);
}
ScriptedUpstream::Answer ScriptedUpstream::current() const {
    const std::scoped_lock lock(mutex_);
    return answer_;
}
std::vector<Message> ScriptedUpstream::requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
}
std::size_t ScriptedUpstream::request_count() const {
    const std::scoped_lock lock(mutex_);
    return requests_.size();
}

ScriptedUpstream::Answer ScriptedUpstream::answers(int status, std::string body, std::string lines) {
    return [status, body = std::move(body), lines = std::move(lines)](Connection& to, const Message& request) {
        const std::string text = make_response(status, body, lines);
        to.send(request.method() == "HEAD" ? text.substr(0, text.size() - body.size()) : text);
    };
}
ScriptedUpstream::Answer ScriptedUpstream::sends(std::string bytes) {
    return [bytes = std::move(bytes)](Connection& to, const Message&) { to.send(bytes); };
}
ScriptedUpstream::Answer ScriptedUpstream::sends_and_closes(std::string bytes) {
    return [bytes = std::move(bytes)](Connection& to, const Message&) {
        to.send(bytes);
        to.close();
    };
}
ScriptedUpstream::Answer ScriptedUpstream::stalls() {
    return [](Connection& to, const Message&) { to.wait_for_end(60s); };
}
ScriptedUpstream::Answer ScriptedUpstream::closes() {
    return [](Connection& to, const Message&) { to.close(); };
}
ScriptedUpstream::Answer ScriptedUpstream::resets() {
    return [](Connection& to, const Message&) { to.reset(); };
}
ScriptedUpstream::Answer ScriptedUpstream::upgrades_and_echoes() {
    return [](Connection& to, const Message&) {
        to.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        do {
            to.send(to.take(to.pending().size()));
        } while (to.fill());
    };
}

}  // namespace gateway::test
