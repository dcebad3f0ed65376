// All keys below the prefix, kept up to date: a full read, then every change in order, for ever.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "libgateway/etcd/client.hpp"

namespace gateway::etcd {

// Who keeps what the mirror brings. Called one at a time; the next call waits for the end of this one.
class MirrorOwner {
public:
    virtual ~MirrorOwner() = default;
    // All entries at this revision, in order of keys; whatever was there before and is not among them is gone.
    virtual asio::awaitable<void> replace(std::vector<Entry> all, std::uint64_t revision) = 0;
    // What changed since, oldest first, never part of a transaction. Keys may repeat.
    virtual asio::awaitable<void> change(std::vector<Event> events, std::uint64_t revision) = 0;
    // The mirror follows etcd; or it does not, and why. Only told when it is something new.
    virtual void synchronised() = 0;
    virtual void lost(const std::string& why) = 0;
};

// One per control process, on its loop; outlives run(). Never gives up: members that do not answer are asked again
// after 0.1 to 0.5 s, what etcd refuses after Options::resync_delay.
//
// A stream that ends goes on at the next revision; a full read is made when that revision is compacted, when the store
// is another one or older than what was seen, and after anything that cannot be read.
class Mirror {
public:
    Mirror(asio::io_context& loop, Client& client, MirrorOwner& owner);
    Mirror(const Mirror&) = delete;
    Mirror& operator=(const Mirror&) = delete;

    // Returns after stop().
    asio::awaitable<void> run();
    void stop();

    // Waits until the owner has everything up to `revision`; false if the limit passes first. A watch that should have
    // brought it and did not is made anew.
    asio::awaitable<bool> reach(std::uint64_t revision, std::chrono::milliseconds limit);

    std::uint64_t revision() const noexcept { return revision_; }
    bool following() const noexcept { return following_; }
    // Times in a row that etcd could not be reached or refused; 0 while following.
    unsigned failures() const noexcept { return following_ ? 0 : failures_; }

private:
    asio::awaitable<void> read_all();
    asio::awaitable<void> follow();
    asio::awaitable<bool> take_batch();
    void collect(WatchMessage message, std::size_t& bytes);
    asio::awaitable<void> deliver();
    asio::awaitable<void> rest(const Failure& why);
    void begin_following();
    void advance(std::uint64_t revision);

    asio::io_context& loop_;
    Client& client_;
    MirrorOwner& owner_;
    const std::string keys_;  // prefix of all keys
    std::string cluster_;
    std::uint64_t revision_ = 0;
    bool whole_ = false;  // a full read was delivered, and revision_ is where to go on
    bool following_ = false, told_ = false, stopped_ = false, renew_ = false;
    unsigned failures_ = 0;
    std::string last_loss_;
    std::unique_ptr<Watch> watch_;
    std::vector<Event> pending_;      // of the stream, not delivered
    std::uint64_t pending_last_ = 0;  // the highest revision among them, or of a progress message
    bool half_ = false;               // the last message was a fragment
    Clock::time_point following_since_;
    asio::steady_timer pause_;
    std::vector<asio::steady_timer*> waiting_;  // of reach()
    std::minstd_rand random_{std::random_device{}()};
};

}  // namespace gateway::etcd
