// One etcd cluster as control sees it: calls and watches over its v3 JSON gateway, with fail-over and login.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/lines.hpp"
#include "libgateway/etcd/connection.hpp"
#include "libgateway/etcd/messages.hpp"
#include "libgateway/etcd/options.hpp"

namespace gateway::etcd {

// An open watch. Made by Client::watch, which has read the first message; dropped to end it.
class Watch {
public:
    Watch(std::unique_ptr<Connection> connection, std::size_t line_limit) noexcept
        : connection_(std::move(connection)), lines_(line_limit) {}

    // Waits no longer than `silence` for more bytes; throws Failure, `idle` among others.
    asio::awaitable<WatchMessage> next(std::chrono::milliseconds silence);
    // Another message is here already: next() will not wait.
    bool ready() noexcept;
    // May be called while next() waits; it then fails.
    void close() { connection_->close(); }

private:
    std::unique_ptr<Connection> connection_;
    Lines lines_;
    std::optional<std::string> line_;  // read ahead by ready()
};

// Loop thread of control; outlives its calls. Several calls may run at once, each on a connection of its own.
//
// Members are asked in turn, beginning with the one that answered last; one that failed is asked last for a while. A
// call ends within Options::timeout whatever happens. Reading is tried again with the next member; a write is not once
// it may have reached one: its failure then says `sent`, and whoever asked looks at the store.
class Client {
public:
    Client(asio::io_context& loop, Options options) : loop_(loop), options_(std::move(options)) {
        left_out_.resize(options_.members.size());
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // One page of the keys from `key` up to `end` (empty: only this key), at `revision` (0: now).
    asio::awaitable<Page> read(std::string key, std::string end, std::uint64_t revision, std::size_t limit);
    // All or nothing, if every expectation holds. etcd takes 128 operations at most unless it is told otherwise.
    asio::awaitable<Committed> commit(std::vector<Write> writes);
    // A lease that ends by itself; etcd may make it longer.
    asio::awaitable<std::int64_t> grant(std::chrono::seconds life);
    struct Opened {
        std::unique_ptr<Watch> watch;
        Header header;  // of its first message
    };
    // All changes of keys that begin with `prefix`, from revision `from` on. Throws `compacted` if they are gone.
    asio::awaitable<Opened> watch(std::string prefix, std::uint64_t from);

    // Ends all calls; the failures are the usual ones.
    void stop();
    const Options& options() const noexcept { return options_; }
    // The member that answered last.
    std::string member() const { return options_.members[preferred_].text(); }

private:
    enum class Repeat : std::uint8_t { always, unless_sent };
    struct Question {
        std::string path, body;
        Repeat repeat = Repeat::always;
    };
    // Asks one member, by its number; throws Failure.
    template <class Result>
    using Attempt = std::function<asio::awaitable<Result>(std::size_t member, Clock::time_point until)>;
    template <class Result>
    asio::awaitable<Result> ask(Attempt<Result> attempt, Repeat repeat);

    asio::awaitable<json::Value> call(std::string path, json::Value request, Repeat repeat);
    asio::awaitable<json::Value> call_member(std::size_t member, const Question& question, Clock::time_point until);
    asio::awaitable<std::string> talk(Connection& connection, const Question& question, std::string token,
                                      Clock::time_point until);
    asio::awaitable<Opened> watch_member(std::size_t member, const Question& question, Clock::time_point until);
    asio::awaitable<std::string> token(std::size_t member, Clock::time_point until);
    asio::awaitable<std::unique_ptr<Connection>> connection_to(std::size_t member, Clock::time_point until);
    void keep(std::size_t member, std::unique_ptr<Connection> connection);
    std::vector<std::size_t> order() const;

    struct Idle {
        std::size_t member;
        Clock::time_point since;
        std::unique_ptr<Connection> connection;
    };
    class Busy;

    asio::io_context& loop_;
    const Options options_;
    std::size_t preferred_ = 0;
    std::vector<Clock::time_point> left_out_;  // until when, by member
    std::vector<Idle> idle_;
    std::set<Connection*> busy_;
    std::string token_;  // empty: not logged in
    bool no_login_ = false, stopped_ = false;
};

}  // namespace gateway::etcd
