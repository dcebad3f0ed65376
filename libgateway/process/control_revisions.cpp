#include "libgateway/process/control_revisions.hpp"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/detached.hpp>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/log.hpp"

namespace gateway::process {

namespace {

constexpr std::size_t known_revisions = 2 * DeltaWindow::most_deltas;
constexpr std::size_t bytes_per_second = 4 << 20;  // what a worker surely builds beside its traffic

std::int64_t ns(std::chrono::milliseconds time) noexcept {
    return std::chrono::nanoseconds(time).count();
}

FullDelta fold_journal(int fd, std::size_t end) {
    const UniqueFd own(fd);
    auto folded = fold(Journal::read(own.get(), sizeof(config::JournalHeader), end));
    if (!folded) throw std::runtime_error("the journal is damaged");
    return std::move(*folded);
}

int duplicate(int fd) {
    return ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

}  // namespace

Revisions::Revisions(asio::io_context& loop, asio::thread_pool& builder, LastGood& disk, Shared shared, Limits limits,
                     Handed handed)
    : loop_(loop),
      builder_(builder),
      disk_(disk),
      shared_(shared),
      limits_(limits),
      handed_(std::move(handed)),
      channels_(loop, window_,
                {[this] {
                     note_behind();
                     changed_.cancel();
                 },
                 [this](std::uint32_t index, std::int32_t pid) {
                     return (*shared_.pages)[index].pid.load(std::memory_order_relaxed) == pid;
                 },
                 [this](std::uint64_t revision, const config::Digest& digest) { return known(revision, digest); },
                 [this] { return pending_ != 0 ? pending_ : committed_; }, [this] { return full(); }}),
      changed_(loop),
      full_turn_(loop) {}

void Revisions::start(FullDelta document) {
    committed_ = last_number_ = document.revision;
    digest_ = document.digest;
    remember(committed_, digest_);
    journal_ = std::make_unique<Journal>(document.bytes, committed_);
    handed_(journal_->fd(), committed_);
    shared_.control->epoch.store(committed_, std::memory_order_release);
    disk_.replace(std::move(document.bytes));
    channels_.wake();
}

asio::awaitable<Published> Revisions::publish(std::span<const config::Change> changes, config::Digest after,
                                              Keep keep) {
    std::vector<char> bytes;
    config::DeltaWriter writer(bytes);
    writer.begin(committed_, ++last_number_);
    for (const config::Change& change : changes) writer.add(change);
    writer.finish(after);
    journal_->stage(bytes);
    const auto delta = std::make_shared<const Payload>(std::move(bytes), committed_, last_number_);

    std::vector<WorkerChannelPtr> voters;
    for (const WorkerChannelPtr& channel : channels_.all()) {
        if (counts(*channel)) voters.push_back(channel);
    }
    pending_ = last_number_;
    window_.push(delta);
    channels_.wake();
    co_await wait_for(voters, delta->size());

    Published result;
    result.veto = veto();
    if (result.veto.empty() && keep) {
        result.veto = co_await keep(last_number_);
        result.unkept = !result.veto.empty();
    }
    if (result.veto.empty()) {
        commit(delta, after);
    } else {
        roll_back();
    }
    result.revision = committed_;
    for (const WorkerChannelPtr& voter : voters) {
        if (!voter->closed() && result.veto.empty() && voter->prepared() != committed_)
            result.lagging.push_back(voter->index());
    }
    co_return result;
}

asio::awaitable<void> Revisions::wait_for(std::vector<WorkerChannelPtr> voters, std::size_t size) {
    const auto limit = limits_.prepare + std::chrono::milliseconds(1000 * (size / bytes_per_second));
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const bool open =
            std::any_of(voters.begin(), voters.end(), [this](const auto& one) { return waits_for(*one); });
        const auto now = std::chrono::steady_clock::now();
        if (!open || now >= deadline || !veto().empty()) co_return;
        // Looks again now and then: a worker that stops running says nothing.
        changed_.expires_at(std::min(deadline, now + std::chrono::milliseconds(100)));
        co_await changed_.async_wait(quietly);
    }
}

void Revisions::commit(const PayloadPtr& delta, const config::Digest& after) {
    const std::size_t before = journal_->committed();
    committed_ = delta->to();
    pending_ = 0;
    digest_ = after;
    remember(committed_, digest_);
    journal_->commit(committed_);
    shared_.control->epoch.store(committed_, std::memory_order_release);
    disk_.append(Journal::read(journal_->fd(), before, journal_->committed()));
    note_behind();
    if (journal_->wants_compaction() && !compacting_) asio::co_spawn(loop_, compact(), asio::detached);
}

void Revisions::keep_again() {
    disk_.replace(Journal::read(journal_->fd(), sizeof(config::JournalHeader), journal_->committed()));
}

void Revisions::roll_back() {
    window_.pop();
    journal_->abandon();
    channels_.take_back(committed_, pending_);
    pending_ = 0;
}

bool Revisions::known(std::uint64_t revision, const config::Digest& digest) const {
    return std::any_of(known_.begin(), known_.end(),
                       [&](const auto& one) { return one.first == revision && one.second == digest; });
}

void Revisions::remember(std::uint64_t revision, const config::Digest& digest) {
    known_.emplace_back(revision, digest);
    if (known_.size() > known_revisions) known_.pop_front();
}

bool Revisions::runs(std::uint32_t index) const {
    const std::int64_t beat = (*shared_.pages)[index].heartbeat_ns.load(std::memory_order_relaxed);
    return monotonic_ns() - beat <= ns(limits_.stale);
}

bool Revisions::counts(const WorkerChannel& channel) const {
    if (!channel.introduced() || channel.prepared() != committed_ || !runs(channel.index())) return false;
    const auto state =
        static_cast<WorkerState>((*shared_.pages)[channel.index()].state.load(std::memory_order_relaxed));
    return state == WorkerState::ready || state == WorkerState::lagging;
}

bool Revisions::waits_for(const WorkerChannel& channel) const {
    return !channel.closed() && channel.prepared() != pending_ && runs(channel.index());
}

std::string Revisions::veto() const {
    for (const WorkerChannelPtr& channel : channels_.all()) {
        if (channel->failed() == pending_)
            return fmt::format("worker {} cannot build it: {}", channel->index(), channel->failure());
    }
    return {};
}

void Revisions::note_behind() {
    for (const WorkerChannelPtr& channel : channels_.all()) {
        if (!channel->introduced()) continue;
        std::int64_t& since = behind_since_[channel->index()];
        const bool behind = channel->prepared() != committed_ && (pending_ == 0 || channel->prepared() != pending_);
        if (!behind) {
            since = 0;
        } else if (since == 0) {
            since = monotonic_ns();
        }
    }
}

std::int64_t Revisions::lagging_since(std::uint32_t index) const {
    const std::int64_t beat = (*shared_.pages)[index].heartbeat_ns.load(std::memory_order_relaxed);
    if (beat != 0 && !runs(index)) return beat;
    const std::int64_t since = behind_since_[index];
    return since != 0 && monotonic_ns() - since > ns(limits_.prepare) ? since : 0;
}

// The digest is written before the revision, so it may be that of the next one for a moment.
bool Revisions::strays(std::uint32_t index) const {
    const WorkerPage& page = (*shared_.pages)[index];
    const std::uint64_t revision = page.revision.load(std::memory_order_acquire);
    const config::Digest digest{page.digest_low.load(std::memory_order_relaxed),
                                page.digest_high.load(std::memory_order_relaxed)};
    bool judged = false;
    for (const auto& [number, sent] : known_) {
        if (sent == digest) return false;
        judged = judged || number == revision;
    }
    return judged;
}

asio::awaitable<PayloadPtr> Revisions::full() {
    if (!journal_) co_return nullptr;
    const Turnstile::Pass pass = co_await full_turn_.enter();
    if (full_ && full_->to() == committed_) co_return full_;
    FullDelta folded = co_await document();
    full_ = std::make_shared<const Payload>(std::move(folded.bytes), 0, folded.revision);
    co_return full_;
}

asio::awaitable<FullDelta> Revisions::document() {
    const int fd = duplicate(journal_->fd());
    const std::size_t end = journal_->committed();
    FullDelta folded = co_await on_thread(builder_, [fd, end] { return fold_journal(fd, end); });
    co_return folded;
}

bool Revisions::all_introduced() const {
    for (std::uint32_t i = 0; i < max_workers; ++i) {
        const auto state = static_cast<WorkerState>((*shared_.pages)[i].state.load(std::memory_order_relaxed));
        const bool serves = state == WorkerState::ready || state == WorkerState::lagging;
        if (serves && runs(i) && !channels_.find(i)) return false;
    }
    return true;
}

asio::awaitable<void> Revisions::compact() {
    compacting_ = true;
    const std::size_t end = journal_->committed();
    const int fd = duplicate(journal_->fd());
    try {
        FullDelta folded = co_await on_thread(builder_, [fd, end] { return fold_journal(fd, end); });
        auto fresh = std::make_unique<Journal>(folded.bytes, folded.revision);
        const std::vector<char> since = Journal::read(journal_->fd(), end, journal_->committed());
        const std::vector<char> staged = journal_->staged();
        fresh->stage(since);
        fresh->commit(committed_);
        fresh->stage(staged);
        folded.bytes.insert(folded.bytes.end(), since.begin(), since.end());
        journal_ = std::move(fresh);
        handed_(journal_->fd(), committed_);
        disk_.replace(std::move(folded.bytes));
    } catch (const std::exception& error) {
        log::error("journal cannot be compacted: {}", error.what());
    }
    compacting_ = false;
}

}  // namespace gateway::process
