#include "libgateway/etcd/client.hpp"

#include <algorithm>

#include "libgateway/base/log.hpp"

namespace gateway::etcd {

namespace {

constexpr auto idle_life = std::chrono::seconds(20);
constexpr std::size_t most_idle = 4;
constexpr auto longest_connect = std::chrono::seconds(2);

}  // namespace

// Lets stop() reach a connection that is in use; one that is made after stop() fails at once.
class Client::Busy {
public:
    Busy(Client& owner, Connection& connection) : owner_(owner), connection_(connection) {
        owner_.busy_.insert(&connection_);
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() { owner_.busy_.erase(&connection_); }

private:
    Client& owner_;
    Connection& connection_;
};

asio::awaitable<WatchMessage> Watch::next(std::chrono::milliseconds silence) {
    while (!ready()) {
        if (lines_.overlong()) throw Failure(Cause::garbled, "a message of the watch is too long");
        std::string bytes;
        const bool more = co_await connection_->read_body(bytes, Clock::now() + silence);
        if (!more) throw Failure(Cause::unavailable, "the watch was ended");
        lines_.feed(bytes);
    }
    const std::string line = std::move(*line_);
    line_.reset();
    co_return read_watch_message(line);
}

bool Watch::ready() noexcept {
    if (line_) return true;
    while (const auto line = lines_.next()) {
        if (line->empty()) continue;
        line_.emplace(*line);
        break;
    }
    return line_.has_value();
}

asio::awaitable<Page> Client::read(std::string key, std::string end, std::uint64_t revision, std::size_t limit) {
    json::Value request = range_request(key, end, revision, limit);
    const json::Value answer = co_await call("kv/range", std::move(request), Repeat::always);
    co_return read_page(answer);
}

asio::awaitable<Committed> Client::commit(std::vector<Write> writes) {
    json::Value request = commit_request(writes);
    const json::Value answer = co_await call("kv/txn", std::move(request), Repeat::unless_sent);
    co_return read_commit(answer);
}

asio::awaitable<std::int64_t> Client::grant(std::chrono::seconds life) {
    json::Value request = lease_request(life.count());
    const json::Value answer = co_await call("lease/grant", std::move(request), Repeat::always);
    co_return read_lease(answer);
}

asio::awaitable<Client::Opened> Client::watch(std::string prefix, std::uint64_t from) {
    const Question question{"watch", json::write(watch_request(prefix, from)), Repeat::always};
    Attempt<Opened> attempt = [this, &question](std::size_t member, Clock::time_point until) {
        return watch_member(member, question, until);
    };
    Opened opened = co_await ask<Opened>(std::move(attempt), question.repeat);
    co_return opened;
}

asio::awaitable<json::Value> Client::call(std::string path, json::Value request, Repeat repeat) {
    const Question question{std::move(path), json::write(request), repeat};
    Attempt<json::Value> attempt = [this, &question](std::size_t member, Clock::time_point until) {
        return call_member(member, question, until);
    };
    json::Value answer = co_await ask<json::Value>(std::move(attempt), question.repeat);
    co_return answer;
}

// One member after the other, each with its share of the time that is left.
template <class Result>
asio::awaitable<Result> Client::ask(Attempt<Result> attempt, Repeat repeat) {
    const std::vector<std::size_t> members = order();
    const Clock::time_point end = Clock::now() + options_.timeout;
    Failure last(Cause::unavailable, "no member");
    bool logged_in_again = false;
    for (std::size_t i = 0; i < members.size() && !stopped_;) {
        const auto share = (end - Clock::now()) / static_cast<int>(members.size() - i);
        try {
            Result result = co_await attempt(members[i], Clock::now() + share);
            preferred_ = members[i];
            left_out_[members[i]] = {};
            co_return result;
        } catch (const Failure& failure) {
            last = failure;
        }
        if (last.cause == Cause::login && !options_.user.empty() && !logged_in_again) {
            logged_in_again = true;
            token_.clear();
            continue;
        }
        if (last.cause != Cause::unavailable && last.cause != Cause::idle && last.cause != Cause::garbled) throw last;
        left_out_[members[i++]] = Clock::now() + options_.left_out;
        if (repeat == Repeat::unless_sent && last.sent) break;
    }
    if (last.cause == Cause::idle) last.cause = Cause::unavailable;
    throw last;
}

// The preferred member first, those left out last, of these the one that has waited longest before the others.
std::vector<std::size_t> Client::order() const {
    const Clock::time_point now = Clock::now();
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < options_.members.size(); ++i) all.push_back((preferred_ + i) % options_.members.size());
    std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
        const Clock::time_point until_a = std::max(left_out_[a], now), until_b = std::max(left_out_[b], now);
        return until_a < until_b;
    });
    return all;
}

asio::awaitable<json::Value> Client::call_member(std::size_t member, const Question& question,
                                                 Clock::time_point until) {
    const std::string pass = co_await token(member, until);
    std::unique_ptr<Connection> connection = co_await connection_to(member, until);
    std::string body = co_await talk(*connection, question, pass, until);
    keep(member, std::move(connection));
    co_return read_answer(body);
}

// The body of an answer with status 200.
asio::awaitable<std::string> Client::talk(Connection& connection, const Question& question, std::string token,
                                          Clock::time_point until) {
    const Busy busy(*this, connection);
    if (stopped_) throw Failure(Cause::unavailable, "this gateway is being stopped");
    co_await connection.send(question.path, question.body, std::move(token), until);
    std::string body;
    try {
        const unsigned status = co_await connection.read_head(until);
        bool more = true;
        while (more) {
            more = co_await connection.read_body(body, until);
            if (body.size() > options_.answer_limit) throw Failure(Cause::too_large, "an answer is too large");
        }
        if (status != 200) throw failure_of(status, body);
    } catch (Failure& failure) {
        failure.sent = true;
        throw;
    }
    co_return body;
}

asio::awaitable<Client::Opened> Client::watch_member(std::size_t member, const Question& question,
                                                     Clock::time_point until) {
    const std::string pass = co_await token(member, until);
    std::unique_ptr<Connection> connection = co_await connection_to(member, until);
    const Busy busy(*this, *connection);
    co_await connection->send(question.path, question.body, pass, until);
    const unsigned status = co_await connection->read_head(until);
    if (status != 200) {
        std::string body;
        bool more = true;
        while (more && body.size() < options_.line_limit) more = co_await connection->read_body(body, until);
        throw failure_of(status, body);
    }
    Opened opened{std::make_unique<Watch>(std::move(connection), options_.line_limit), {}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const WatchMessage first = co_await opened.watch->next(std::max(left, std::chrono::milliseconds(1)));
    if (first.compact_revision != 0) throw Failure(Cause::compacted, "the revisions asked for are compacted");
    if (first.canceled) throw failure_of_code(0, first.reason);
    if (!first.created) throw Failure(Cause::garbled, "the watch does not begin with its creation");
    opened.header = first.header;
    co_return opened;
}

// What proves who we are; made when there is none. The member is asked without it.
asio::awaitable<std::string> Client::token(std::size_t member, Clock::time_point until) {
    if (options_.user.empty() || no_login_ || !token_.empty()) co_return token_;
    const Question question{"auth/authenticate", json::write(login_request(options_.user, options_.password)),
                            Repeat::always};
    std::unique_ptr<Connection> connection = co_await connection_to(member, until);
    std::optional<Failure> failure;
    std::string body;
    try {
        body = co_await talk(*connection, question, {}, until);
    } catch (const Failure& why) {
        failure = why;
    }
    if (failure && std::string_view(failure->what()).find("authentication is not enabled") != std::string_view::npos) {
        log::warn("etcd: a user is configured, but authentication is not enabled there");
        no_login_ = true;
        co_return std::string();
    }
    if (failure) {
        failure->sent = false;  // only the login was
        throw *failure;
    }
    keep(member, std::move(connection));
    token_ = read_login(read_answer(body));
    co_return token_;
}

asio::awaitable<std::unique_ptr<Connection>> Client::connection_to(std::size_t member, Clock::time_point until) {
    const Clock::time_point now = Clock::now();
    std::erase_if(idle_, [&](const Idle& idle) { return now - idle.since > idle_life; });
    for (auto one = idle_.begin(); one != idle_.end(); ++one) {
        if (one->member != member || !one->connection->alive()) continue;
        std::unique_ptr<Connection> kept = std::move(one->connection);
        idle_.erase(one);
        co_return kept;
    }
    auto fresh = std::make_unique<Connection>(loop_);
    const Busy busy(*this, *fresh);
    co_await fresh->open(options_.members[member], options_.tls, std::min(until, now + longest_connect));
    co_return fresh;
}

void Client::keep(std::size_t member, std::unique_ptr<Connection> connection) {
    if (stopped_ || !connection->reusable() || idle_.size() >= most_idle) return;
    idle_.push_back({member, Clock::now(), std::move(connection)});
}

void Client::stop() {
    stopped_ = true;
    idle_.clear();
    for (Connection* connection : busy_) connection->close();
}

}  // namespace gateway::etcd
