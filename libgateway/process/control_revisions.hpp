// The revision engine: turns a set of changes into revision N+1 in every living worker, or into nothing at all.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "libgateway/process/control_async.hpp"
#include "libgateway/process/control_channel.hpp"
#include "libgateway/process/control_journal.hpp"
#include "libgateway/process/control_last_good.hpp"
#include "libgateway/process/worker_page.hpp"

namespace gateway::process {

struct Published {
    std::uint64_t revision = 0;          // now in force
    std::string veto;                    // why nothing changed; empty: applied
    bool unkept = false;                 // the veto is that of the keeper
    std::vector<std::uint32_t> lagging;  // workers it did not wait for any longer
};

// Loop thread of control, one for its whole life. A revision is sent out as a delta, waits until every worker that
// counts has prepared it, and is committed by the epoch word in shared memory; one worker that cannot build it vetoes
// it. Workers that start, drain or lag do not count. Numbers are never used twice, so a late answer to a vetoed one
// harms nothing.
class Revisions {
public:
    struct Shared {
        WorkerPages* pages = nullptr;
        ControlPage* control = nullptr;
    };
    struct Limits {
        std::chrono::milliseconds prepare{2000};  // plus one second per 4 MiB of delta
        std::chrono::milliseconds stale{1500};    // a heartbeat older than this: the worker does not run
    };
    // `handed` gets the journal's descriptor whenever there is a new one, for the master.
    using Handed = std::function<void(int fd, std::uint64_t revision)>;
    Revisions(asio::io_context& loop, asio::thread_pool& builder, LastGood& disk, Shared shared, Limits limits,
              Handed handed);

    // Begins with a document that nobody has to agree to: the first one, or after a restart of control. Workers that
    // hold this very revision and digest already are left alone, all others get it whole.
    void start(FullDelta document);
    // Brings a revision that every worker is ready for to where it outlives all processes; why it cannot, or nothing.
    using Keep = std::function<asio::awaitable<std::string>(std::uint64_t revision)>;
    // Sends out one change set, which may be empty; `after` is the digest of the document with it. Not to be called
    // again before it ends.
    asio::awaitable<Published> publish(std::span<const config::Change> changes, config::Digest after, Keep keep = {});
    // The next revision has a higher number than this one.
    void number_above(std::uint64_t number) noexcept { last_number_ = std::max(last_number_, number); }
    // The number of the next revision that is published.
    std::uint64_t next_number() const noexcept { return last_number_ + 1; }

    std::uint64_t revision() const noexcept { return committed_; }
    const config::Digest& digest() const noexcept { return digest_; }
    WorkerChannels& channels() noexcept { return channels_; }

    // The revision that workers were last told to adopt, by this control or one before it; 0: none yet.
    std::uint64_t epoch() const noexcept { return shared_.control->epoch.load(std::memory_order_acquire); }
    // Every worker that serves is connected and has said what it holds.
    bool all_introduced() const;
    // Since when (CLOCK_MONOTONIC, ns) this worker is behind: it does not run, or holds an old revision for longer than
    // the limit; 0: it is not.
    std::int64_t lagging_since(std::uint32_t index) const;
    // Its page names a revision with a digest that is of no document sent out: whatever it serves, it is not that.
    bool strays(std::uint32_t index) const;
    // Writes everything to disk once more: the way it is written there has changed.
    void keep_again();
    // The newest committed document; what a worker that cannot follow any more is sent.
    asio::awaitable<PayloadPtr> full();
    // The same, to look into.
    asio::awaitable<FullDelta> document();

private:
    bool known(std::uint64_t revision, const config::Digest& digest) const;
    void remember(std::uint64_t revision, const config::Digest& digest);
    bool runs(std::uint32_t index) const;
    bool counts(const WorkerChannel& channel) const;
    bool waits_for(const WorkerChannel& channel) const;
    std::string veto() const;
    asio::awaitable<void> wait_for(std::vector<WorkerChannelPtr> voters, std::size_t size);
    void commit(const PayloadPtr& delta, const config::Digest& after);
    void roll_back();
    void note_behind();
    asio::awaitable<void> compact();

    asio::io_context& loop_;
    asio::thread_pool& builder_;
    LastGood& disk_;
    Shared shared_;
    Limits limits_;
    Handed handed_;
    DeltaWindow window_;
    WorkerChannels channels_;
    std::unique_ptr<Journal> journal_;
    asio::steady_timer changed_;  // cancelled at every message of a worker
    Turnstile full_turn_;
    PayloadPtr full_;
    std::uint64_t committed_ = 0, pending_ = 0, last_number_ = 0;
    config::Digest digest_;
    std::deque<std::pair<std::uint64_t, config::Digest>> known_;
    std::array<std::int64_t, max_workers> behind_since_{};
    bool compacting_ = false;
};

}  // namespace gateway::process
