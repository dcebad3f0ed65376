#include "libgateway/etcd/mirror.hpp"

#include <algorithm>
#include <utility>

namespace gateway::etcd {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t largest_batch = 8 << 20;  // bytes after which a batch is delivered, though more is here
constexpr std::size_t largest_revision = 128 << 20;
constexpr milliseconds first_pause{100}, last_pause{400};
constexpr auto steady_after = std::chrono::seconds(1);

std::size_t size_of(const std::vector<Event>& events) {
    std::size_t bytes = 0;
    for (const Event& event : events) bytes += event.entry.key.size() + event.entry.value.size() + sizeof event;
    return bytes;
}

}  // namespace

Mirror::Mirror(asio::io_context& loop, Client& client, MirrorOwner& owner)
    : loop_(loop), client_(client), owner_(owner), keys_(client.options().prefix + "/"), pause_(loop) {}

void Mirror::stop() {
    stopped_ = true;
    pause_.cancel();
    for (asio::steady_timer* waiter : waiting_) waiter->cancel();
    client_.stop();
    if (watch_) watch_->close();
}

asio::awaitable<void> Mirror::run() {
    while (!stopped_) {
        std::optional<Failure> why;
        try {
            if (!whole_) co_await read_all();
            co_await follow();
        } catch (const Failure& failure) {
            why = failure;
        } catch (const std::exception& error) {
            why = Failure(Cause::garbled, error.what());
        }
        watch_.reset();
        pending_.clear();
        if (stopped_) break;
        if (why->cause == Cause::compacted || why->cause == Cause::garbled || why->cause == Cause::too_large) {
            whole_ = false;
        }
        co_await rest(*why);
    }
}

// Ends by a failure, in nearly all cases; a watch that was silent for long is made anew without one.
asio::awaitable<void> Mirror::follow() {
    for (;;) {
        Client::Opened opened = co_await client_.watch(keys_, revision_ + 1);
        watch_ = std::move(opened.watch);
        renew_ = half_ = false;
        pending_.clear();
        pending_last_ = revision_;
        if (opened.header.cluster != cluster_ || opened.header.revision < revision_) {
            throw Failure(Cause::compacted, "the store is another one than before");
        }
        begin_following();
        bool more = true;
        while (more) more = co_await take_batch();
    }
}

// False if the watch was silent for so long that it is worth nothing any more, or reach() wants another.
asio::awaitable<bool> Mirror::take_batch() {
    std::size_t bytes = size_of(pending_);
    bool again = true, silent = false;
    std::optional<Failure> failure;
    while (again) {
        try {
            WatchMessage message = co_await watch_->next(client_.options().watch_timeout);
            collect(std::move(message), bytes);
        } catch (const Failure& why) {
            failure = why;
        }
        silent = failure && (failure->cause == Cause::idle || renew_);
        again = !failure && (half_ || (bytes < largest_batch && watch_->ready()));
    }
    // What came whole before the failure is good.
    if (!half_) co_await deliver();
    if (failure && !silent) throw *failure;
    co_return !silent;
}

// Progress messages have no events; what they say holds for everything before them.
void Mirror::collect(WatchMessage message, std::size_t& bytes) {
    if (message.compact_revision != 0) throw Failure(Cause::compacted, "the watch fell behind what is compacted");
    if (message.canceled) throw Failure(Cause::unavailable, "the watch was cancelled: " + message.reason);
    if (message.events.empty() && !message.fragment && !half_)
        pending_last_ = std::max(pending_last_, message.header.revision);
    bytes += size_of(message.events);
    if (bytes > largest_revision) throw Failure(Cause::garbled, "one change is too large");
    for (Event& event : message.events) {
        const bool ours = std::string_view(event.entry.key).starts_with(keys_);
        if (!ours || event.entry.modified < pending_last_) throw Failure(Cause::garbled, "events out of order");
        pending_last_ = event.entry.modified;
        if (event.entry.modified > revision_) pending_.push_back(std::move(event));
    }
    half_ = message.fragment;
}

asio::awaitable<void> Mirror::deliver() {
    const std::uint64_t reached = pending_last_;
    std::vector<Event> events = std::exchange(pending_, {});
    if (!events.empty()) co_await owner_.change(std::move(events), reached);
    advance(reached);
}

// Page after page of one and the same revision.
asio::awaitable<void> Mirror::read_all() {
    std::vector<Entry> all;
    const std::string end = end_of(keys_);
    std::string next = keys_;
    Header header;
    std::size_t limit = client_.options().page;
    for (bool more = true; more;) {
        std::optional<Failure> failure;
        Page page;
        try {
            page = co_await client_.read(next, end, header.revision, limit);
        } catch (const Failure& why) {
            failure = why;
        }
        if (failure && failure->cause == Cause::too_large && limit > 1) {
            limit /= 2;
            continue;
        }
        if (failure) throw *failure;
        if (header.revision == 0) header = page.header;
        for (Entry& entry : page.entries) {
            if (entry.key < next || entry.key >= end) throw Failure(Cause::garbled, "keys out of order");
            next = entry.key + std::string(1, '\0');
            all.push_back(std::move(entry));
        }
        more = page.more;
    }
    co_await owner_.replace(std::move(all), header.revision);
    cluster_ = header.cluster;
    whole_ = true;
    revision_ = 0;
    advance(header.revision);
}

void Mirror::advance(std::uint64_t revision) {
    revision_ = std::max(revision_, revision);
    for (asio::steady_timer* waiter : waiting_) waiter->cancel();
}

void Mirror::begin_following() {
    if (!std::exchange(following_, true)) following_since_ = Clock::now();
    last_loss_.clear();
    if (std::exchange(told_, true)) return;
    owner_.synchronised();
}

// The first time at once: a member that was started again, a proxy that cut the stream. Then it is a loss.
asio::awaitable<void> Mirror::rest(const Failure& why) {
    if (std::exchange(following_, false) && Clock::now() - following_since_ > steady_after) failures_ = 0;
    const unsigned before = failures_++;
    if (before == 0 && why.cause != Cause::setup) co_return;
    told_ = false;
    if (last_loss_ != why.what()) owner_.lost(last_loss_ = why.what());
    milliseconds pause = std::min(first_pause * (1 << std::min(before, 8U)) / 2, last_pause);
    if (why.cause != Cause::unavailable && why.cause != Cause::compacted) pause = client_.options().resync_delay;
    pause += std::chrono::duration_cast<milliseconds>(pause * (random_() % 512) / 1024);
    pause_.expires_after(pause);
    co_await pause_.async_wait(quietly);
}

asio::awaitable<bool> Mirror::reach(std::uint64_t revision, milliseconds limit) {
    const Clock::time_point end = Clock::now() + limit, late = Clock::now() + limit / 2;
    asio::steady_timer tick(loop_);
    waiting_.push_back(&tick);
    while (revision_ < revision && !stopped_ && Clock::now() < end) {
        const bool overdue = Clock::now() >= late;
        if (overdue && watch_ && !std::exchange(renew_, true)) watch_->close();
        tick.expires_at(overdue ? end : late);
        co_await tick.async_wait(quietly);
    }
    std::erase(waiting_, &tick);
    co_return revision_ >= revision;
}

}  // namespace gateway::etcd
