// Control's ends of the worker channels: who is there, which revision each one holds, and the sending that never
// blocks.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libgateway/process/control_deltas.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/packet.hpp"

namespace gateway::process {

namespace asio = boost::asio;

class WorkerChannels;

// One connected worker. Held by WorkerChannels and by its own coroutines; closed() ends all of them.
class WorkerChannel {
public:
    std::uint32_t index() const noexcept { return hello_.index; }
    std::int32_t pid() const noexcept { return static_cast<std::int32_t>(hello_.pid); }
    std::uint64_t incarnation() const noexcept { return hello_.incarnation; }
    const config::Digest& hello_digest() const noexcept { return hello_.digest; }
    // False until its hello arrived: nothing is known of it and nothing sent.
    bool introduced() const noexcept { return introduced_; }
    bool closed() const noexcept { return closed_; }
    // Newest revision that it has built; the one it serves or will serve next.
    std::uint64_t prepared() const noexcept { return prepared_; }
    std::uint64_t adopted() const noexcept { return adopted_; }
    // The last revision it could not build, and why.
    std::uint64_t failed() const noexcept { return failed_; }
    const std::string& failure() const noexcept { return failure_; }

private:
    friend class WorkerChannels;
    WorkerChannel(asio::io_context& loop, UniqueFd socket, std::int32_t peer)
        : socket_(loop, socket.release()), work_(loop), peer_(peer) {}

    asio::posix::stream_descriptor socket_;
    asio::steady_timer work_;  // cancelled to tell the sender that there is something to send
    std::int32_t peer_;        // as the kernel names it
    Hello hello_{};
    bool introduced_ = false, closed_ = false;
    std::uint64_t sent_ = 0, prepared_ = 0, adopted_ = 0, failed_ = 0, asked_ = 0;
    std::string failure_;
    bool telling_ = false;     // the metrics
    std::string connections_;  // answer to the question `asked_`
    std::uint64_t answered_ = 0;
};
using WorkerChannelPtr = std::shared_ptr<WorkerChannel>;

// Loop thread of control. The listener has a name that every process of this machine can connect to: only processes of
// our user that the master started as workers are heard, and told what is configured. Accepts them (again after every
// EOF; a new connection of a slot replaces the old), sends each what follows the revision it holds, and tells `changed`
// of every message that matters to a commit.
class WorkerChannels {
public:
    struct Hooks {
        // Something about a worker changed: hello, prepared, failed, adopted, gone.
        std::function<void()> changed;
        // Whether that process is the worker of that slot.
        std::function<bool(std::uint32_t index, std::int32_t pid)> is_worker;
        // Whether `digest` is that of `revision`, so that the worker needs no more than what follows it.
        std::function<bool(std::uint64_t revision, const config::Digest& digest)> known;
        // Where every worker should be by now: the newest revision sent out, decided or not.
        std::function<std::uint64_t()> newest;
        // The newest committed document as a full delta; null while there is none.
        std::function<asio::awaitable<PayloadPtr>()> full;
    };
    WorkerChannels(asio::io_context& loop, const DeltaWindow& window, Hooks hooks)
        : loop_(loop), window_(window), hooks_(std::move(hooks)) {}

    // Takes connections of a SOCK_SEQPACKET listener until stop().
    void listen(UniqueFd listener);
    // One connected socket; `peer` is the pid that the kernel names.
    void add(UniqueFd socket, std::int32_t peer);
    void stop();

    // What a worker's question for the metrics is answered with; without it, not at all.
    struct MetricsAnswer {
        unsigned status = 500;
        PayloadPtr text;
    };
    void serve_metrics(std::function<asio::awaitable<MetricsAnswer>()> metrics) { metrics_ = std::move(metrics); }

    const std::vector<WorkerChannelPtr>& all() const noexcept { return channels_; }
    // Introduced and open; null if that slot has none.
    WorkerChannelPtr find(std::uint32_t index) const;
    // There may be something to send.
    void wake();
    // The delta to `to` is void: who got it holds `from` again.
    void take_back(std::uint64_t from, std::uint64_t to);
    // What the worker tells about its connections, as JSON; empty if it does not answer in time.
    asio::awaitable<std::string> connections_of(WorkerChannelPtr channel, std::chrono::milliseconds limit);

private:
    asio::awaitable<void> accept();
    asio::awaitable<void> read(WorkerChannelPtr channel);
    asio::awaitable<void> write(WorkerChannelPtr channel);
    // False: the channel is of no more use.
    asio::awaitable<bool> send(WorkerChannelPtr channel, PayloadPtr delta);
    asio::awaitable<PayloadPtr> next_for(WorkerChannelPtr channel);
    asio::awaitable<void> tell_metrics(WorkerChannelPtr channel);
    bool take_message(const WorkerChannelPtr& channel);
    bool take_hello(WorkerChannel& channel);
    bool voided(std::uint64_t revision) const;
    void close(const WorkerChannelPtr& channel);

    asio::io_context& loop_;
    const DeltaWindow& window_;
    Hooks hooks_;
    PacketReader<ChannelHead> packet_;
    std::unique_ptr<asio::posix::stream_descriptor> listener_;
    std::vector<WorkerChannelPtr> channels_;
    std::deque<std::uint64_t> voided_;  // newest vetoed revisions: late answers about them mean nothing
    std::uint64_t questions_ = 0;
    std::function<asio::awaitable<MetricsAnswer>()> metrics_;
};

}  // namespace gateway::process
