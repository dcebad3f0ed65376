#include "libgateway/client/client.hpp"

#include <cstring>
#include <utility>

#include "libgateway/base/log.hpp"
#include "libgateway/client/attempt.hpp"
#include "libgateway/client/question.hpp"

namespace gateway::client {

namespace {

// Connections of one kind never serve another.
Ref<upstream::Endpoint> endpoint_of(const Url& url, upstream::EndpointTable& table) {
    if (!url.tls) return table.get("client", url.host, url.port);
    auto endpoint = table.get(url.check_certificate ? "client+tls" : "client+tls-unchecked", url.host, url.port);
    using Check = net::TlsPeer::Check;
    if (!endpoint->tls)
        endpoint->tls = make_ref<net::TlsPeer>(url.host, url.check_certificate ? Check::certificate : Check::none);
    return endpoint;
}

}  // namespace

// Serialised, with where it goes. The body is a view, of the block if it is a copy.
struct Client::Message {
    Ref<upstream::Endpoint> endpoint;
    http::Verb method = http::Verb::get;
    Limits limits;
    net::Buffer head_block, body_block;
    std::string_view head, body;
};

// One copy under way, known to its client so that both can end first.
class Client::Telling {
public:
    explicit Telling(Client& client) noexcept : sleeper(client.reactor_), client_(&client), next_(client.tellings_) {
        if (next_) next_->previous_ = this;
        client.tellings_ = this;
        ++client.telling_;
    }
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;
    ~Telling() { leave(); }
    void leave() noexcept {
        if (!client_) return;
        (previous_ ? previous_->next_ : client_->tellings_) = next_;
        if (next_) next_->previous_ = previous_;
        --client_->telling_;
        client_ = nullptr;
    }
    net::Sleeper sleeper;

private:
    Client* client_;
    Telling *next_, *previous_ = nullptr;
};

// A cancelled wait ends on the spot, and with it what waited; a look-up of a name ends later, and finds it cancelled.
Client::~Client() {
    while (Telling* first = tellings_) {
        first->leave();
        first->sleeper.cancel();
    }
}

Task<void> Client::exchange(const Message& message, net::Sleeper& sleeper, Answer& answer) {
    const std::int64_t until = reactor_.now_ms() + message.limits.whole.count();
    bool stale = false;
    {
        Attempt first(*this, message.limits, until, sleeper, answer);
        const bool reused = message.limits.keep_alive && first.take_idle(*message.endpoint);
        answer.failure = Failure::none;
        if (!reused) answer.failure = co_await first.connect(*message.endpoint);
        if (answer.failure == Failure::none) {
            answer.failure = co_await first.talk(message.method, message.head, message.body);
        }
        const bool posts = message.method == http::Verb::post || message.method == http::Verb::patch;
        stale = reused && (!posts || message.limits.repeat_any) && !first.heard_something() &&
                (answer.failure == Failure::closed || answer.failure == Failure::send_failed);
    }
    if (!stale) co_return;
    answer.cause = {};
    Attempt again(*this, message.limits, until, sleeper, answer);
    answer.failure = co_await again.connect(*message.endpoint);
    if (answer.failure == Failure::none) {
        answer.failure = co_await again.talk(message.method, message.head, message.body);
    }
}

Task<void> Client::send(const Url& url, const Request& request, const Limits& limits, Answer& answer) {
    Message message;
    message.head = write_question(url, request, limits.keep_alive, buffers_, message.head_block);
    answer.failure = Failure::invalid_characters;
    if (message.head.empty()) co_return;
    message.endpoint = endpoint_of(url, endpoints_);
    message.method = request.method;
    message.limits = limits;
    message.body = request.body;
    net::Sleeper sleeper(reactor_);
    Task<void> asking = exchange(message, sleeper, answer);
    co_await asking;
}

bool Client::tell(const Url& url, const Request& request, const Limits& limits) {
    if (telling_ >= most_telling) return false;
    Message message;
    message.head = write_question(url, request, limits.keep_alive, buffers_, message.head_block);
    if (message.head.empty()) return false;
    if (!request.body.empty()) {
        message.body_block = buffers_.take(request.body.size());
        std::memcpy(message.body_block.data(), request.body.data(), request.body.size());
        message.body = {message.body_block.data(), request.body.size()};
    }
    message.endpoint = endpoint_of(url, endpoints_);
    message.method = request.method;
    message.limits = limits;
    spawn(run_telling(std::move(message)));
    return true;
}

Task<void> Client::run_telling(Message message) {
    Telling telling(*this);
    Answer answer;
    Task<void> asking = exchange(message, telling.sleeper, answer);
    co_await asking;
    if (answer.failure == Failure::none || answer.failure == Failure::cancelled) co_return;
    log::error("failed to send a copy to {}:{}, err: {}", message.endpoint->host(), message.endpoint->port(),
               describe(answer));
}

}  // namespace gateway::client
