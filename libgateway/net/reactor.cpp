#include "libgateway/net/reactor.hpp"

#include <cerrno>
#include <system_error>

#include "libgateway/net/calls.hpp"

namespace gateway::net {

bool Descriptor::open(Reactor& reactor, UniqueFd fd, std::uint8_t flags, bool level_triggered) {
    close();
    epoll_event event{};
    event.events = level_triggered ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<std::uint32_t>(EPOLLET);
    event.data.ptr = this;
    if (::epoll_ctl(reactor.epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) return false;
    fd_ = std::move(fd);
    flags_ = flags;
    reactor_ = &reactor;
    return true;
}

void Descriptor::close() noexcept {
    if (!fd_) return;
    reactor_->forget(*this);
    fd_.reset();
    flags_ = 0;
    watch(nullptr, 0);
}

int Descriptor::release() noexcept {
    if (!fd_) return -1;
    reactor_->forget(*this);
    epoll_event unused{};
    ::epoll_ctl(reactor_->epoll_.get(), EPOLL_CTL_DEL, fd_.get(), &unused);
    flags_ = 0;
    watch(nullptr, 0);
    return fd_.release();
}

Reactor::Reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    turn_started_ns_ = monotonic_ns();
    now_ms_ = turn_started_ns_ / 1'000'000;
    wheel_.advance(now_ms_);
}

// The rest of this turn's events must not name a descriptor that is gone.
void Reactor::forget(Descriptor& descriptor) noexcept {
    for (int i = event_at_; i < event_count_; ++i) {
        if (events_[static_cast<std::size_t>(i)].data.ptr == &descriptor) {
            events_[static_cast<std::size_t>(i)].data.ptr = nullptr;
        }
    }
}

void Reactor::dispatch(epoll_event& event) noexcept {
    auto* descriptor = static_cast<Descriptor*>(event.data.ptr);
    if (!descriptor) return;
    std::uint8_t flags = 0;
    if (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) flags |= readable;
    if (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) flags |= writable;
    if (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) flags |= hangup;
    if (event.events & (EPOLLHUP | EPOLLERR)) flags |= gone;
    descriptor->raise(flags);
    if (descriptor->waiter_ && descriptor->has(descriptor->interest_)) descriptor->waiter_->wake_(*descriptor->waiter_);
}

void Reactor::post_after(std::coroutine_handle<> handle, Milliseconds after) {
    timers_.push({monotonic_ns() / 1'000'000 + after.count() + 1, handle});
}

int Reactor::timeout() const noexcept {
    if (!posted_.empty()) return 0;
    std::int64_t least = longest_sleep_ms_;
    const std::int64_t wheel = wheel_.until_next(now_ms_);
    if (wheel >= 0 && wheel < least) least = wheel;
    if (!timers_.empty()) {
        const std::int64_t timer = timers_.top().due_ms - now_ms_;
        if (timer < least) least = timer < 0 ? 0 : timer;
    }
    return static_cast<int>(least);
}

void Reactor::run_posted() {
    running_.swap(posted_);
    for (const auto handle : running_) handle.resume();
    running_.clear();
}

void Reactor::run_timers() {
    while (!timers_.empty() && timers_.top().due_ms <= now_ms_) {
        const auto handle = timers_.top().handle;
        timers_.pop();
        handle.resume();
    }
}

void Reactor::run(const std::function<void(std::int64_t)>& turn) {
    while (!stopped_) {
        event_count_ = calls::wait(epoll_.get(), events_.data(), batch, timeout());
        turn_started_ns_ = monotonic_ns();
        now_ms_ = turn_started_ns_ / 1'000'000;
        for (event_at_ = 0; event_at_ < event_count_;) dispatch(events_[static_cast<std::size_t>(event_at_++)]);
        event_count_ = event_at_ = 0;
        run_posted();
        run_timers();
        wheel_.advance(now_ms_);
        turn(monotonic_ns() - turn_started_ns_);
    }
}

}  // namespace gateway::net
