#include "libgateway/process/control_channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/detached.hpp>

#include "libgateway/base/log.hpp"
#include "libgateway/process/control_async.hpp"

namespace gateway::process {

namespace {

// The pid that the kernel names for the other side; 0 if it is of another user.
std::int32_t peer_of(int socket) noexcept {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return 0;
    return who.uid == ::geteuid() ? who.pid : 0;
}

}  // namespace

void WorkerChannels::listen(UniqueFd listener) {
    listener_ = std::make_unique<asio::posix::stream_descriptor>(loop_, listener.release());
    asio::co_spawn(loop_, accept(), asio::detached);
}

asio::awaitable<void> WorkerChannels::accept() {
    for (;;) {
        const auto [error] = co_await listener_->async_wait(asio::posix::stream_descriptor::wait_read, quietly);
        if (error || !listener_->is_open()) co_return;
        for (;;) {
            UniqueFd socket(::accept4(listener_->native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
            if (!socket) break;
            const std::int32_t peer = peer_of(socket.get());
            if (peer > 0) add(std::move(socket), peer);
        }
    }
}

void WorkerChannels::add(UniqueFd socket, std::int32_t peer) {
    WorkerChannelPtr channel(new WorkerChannel(loop_, std::move(socket), peer));
    channels_.push_back(channel);
    asio::co_spawn(loop_, read(channel), asio::detached);
    asio::co_spawn(loop_, write(channel), asio::detached);
}

void WorkerChannels::stop() {
    if (listener_) listener_->close();
    while (!channels_.empty()) close(WorkerChannelPtr(channels_.back()));
}

WorkerChannelPtr WorkerChannels::find(std::uint32_t index) const {
    for (const WorkerChannelPtr& channel : channels_) {
        if (channel->introduced_ && channel->hello_.index == index) return channel;
    }
    return nullptr;
}

void WorkerChannels::wake() {
    for (const WorkerChannelPtr& channel : channels_) channel->work_.cancel();
}

bool WorkerChannels::voided(std::uint64_t revision) const {
    return std::find(voided_.begin(), voided_.end(), revision) != voided_.end();
}

void WorkerChannels::take_back(std::uint64_t from, std::uint64_t to) {
    voided_.push_back(to);
    if (voided_.size() > DeltaWindow::most_deltas) voided_.pop_front();
    for (const WorkerChannelPtr& channel : channels_) {
        if (channel->sent_ == to) channel->sent_ = from;
        if (channel->prepared_ == to) channel->prepared_ = from;
    }
}

void WorkerChannels::close(const WorkerChannelPtr& channel) {
    if (channel->closed_) return;
    channel->closed_ = true;
    boost::system::error_code ignored;
    channel->socket_.close(ignored);
    channel->work_.cancel();
    channels_.erase(std::remove(channels_.begin(), channels_.end(), channel), channels_.end());
    hooks_.changed();
}

asio::awaitable<void> WorkerChannels::read(WorkerChannelPtr channel) {
    while (!channel->closed_) {
        const auto [error] = co_await channel->socket_.async_wait(asio::posix::stream_descriptor::wait_read, quietly);
        if (error || channel->closed_) break;
        const PacketStatus status = packet_.receive(channel->socket_.native_handle());
        if (status == PacketStatus::again) continue;
        if (status != PacketStatus::done || !take_message(channel)) break;
        hooks_.changed();
    }
    close(channel);
}

bool WorkerChannels::take_message(const WorkerChannelPtr& from) {
    WorkerChannel& channel = *from;
    const ChannelHead& head = packet_.head();
    if (!channel.introduced_) return head.type == static_cast<std::uint32_t>(FromWorker::hello) && take_hello(channel);
    switch (static_cast<FromWorker>(head.type)) {
        case FromWorker::prepared:
            if (!voided(head.number)) channel.prepared_ = head.number;
            return true;
        case FromWorker::adopted:
            channel.adopted_ = head.number;
            return true;
        case FromWorker::failed:
            channel.failed_ = head.number;
            channel.failure_ = head.text.view();
            return true;
        case FromWorker::connections: {
            const auto body = packet_.body();
            channel.connections_.assign(reinterpret_cast<const char*>(body.data()), body.size());
            channel.answered_ = head.number;
            return true;
        }
        case FromWorker::metrics:
            if (metrics_ && !channel.telling_) asio::co_spawn(loop_, tell_metrics(from), asio::detached);
            return true;
        default:
            return false;
    }
}

bool WorkerChannels::take_hello(WorkerChannel& channel) {
    Hello hello;
    if (!packet_.body_as(hello) || hello.index >= max_workers) return false;
    if (channel.peer_ != static_cast<std::int32_t>(hello.pid) || !hooks_.is_worker(hello.index, channel.peer_))
        return false;
    if (const WorkerChannelPtr before = find(hello.index)) close(before);
    channel.hello_ = hello;
    channel.introduced_ = true;
    const std::uint64_t revision = packet_.head().number;
    channel.prepared_ = channel.adopted_ = channel.sent_ =
        revision != 0 && hooks_.known(revision, hello.digest) ? revision : 0;
    channel.work_.cancel();
    return true;
}

asio::awaitable<PayloadPtr> WorkerChannels::next_for(WorkerChannelPtr channel) {
    if (!channel->introduced_) co_return nullptr;
    if (channel->sent_ == hooks_.newest()) co_return nullptr;
    if (PayloadPtr next = window_.after(channel->sent_)) co_return next;
    PayloadPtr full = co_await hooks_.full();
    co_return full;
}

asio::awaitable<void> WorkerChannels::write(WorkerChannelPtr channel) {
    while (!channel->closed_) {
        PayloadPtr next = co_await next_for(channel);
        if (channel->closed_) break;
        if (!next) {
            channel->work_.expires_at(asio::steady_timer::time_point::max());
            co_await channel->work_.async_wait(quietly);
            continue;
        }
        const bool sent = co_await send(channel, next);
        if (!sent) break;
    }
    close(channel);
}

asio::awaitable<bool> WorkerChannels::send(WorkerChannelPtr channel, PayloadPtr delta) {
    ChannelHead head;
    head.type = static_cast<std::uint32_t>(ToWorkerChannel::delta);
    head.number = delta->to();
    const int fd = delta->fd();
    const std::span<const int> fds(&fd, fd >= 0 ? 1 : 0);
    const PacketStatus status =
        send_packet(channel->socket_.native_handle(), head, std::as_bytes(std::span(delta->bytes())), fds);
    if (status == PacketStatus::done) {
        channel->sent_ = delta->to();
        co_return true;
    }
    if (status != PacketStatus::again) co_return false;
    // It does not read. Nothing is kept for it: what to send is decided anew when it does.
    const auto [error] = co_await channel->socket_.async_wait(asio::posix::stream_descriptor::wait_write, quietly);
    co_return !error;
}

asio::awaitable<void> WorkerChannels::tell_metrics(WorkerChannelPtr channel) {
    channel->telling_ = true;
    MetricsAnswer answer;
    try {
        answer = co_await metrics_();
    } catch (const std::exception& error) {
        log::error("metrics cannot be told to worker {}: {}", channel->index(), error.what());
    }
    channel->telling_ = false;
    if (!answer.text) co_return;
    ChannelHead head;
    head.type = static_cast<std::uint32_t>(ToWorkerChannel::metrics);
    head.number = answer.status;
    const int fd = answer.text->fd();
    const std::span<const int> fds(&fd, fd >= 0 ? 1 : 0);
    while (!channel->closed_) {
        const PacketStatus status =
            send_packet(channel->socket_.native_handle(), head, std::as_bytes(std::span(answer.text->bytes())), fds);
        if (status != PacketStatus::again) break;
        const auto [error] = co_await channel->socket_.async_wait(asio::posix::stream_descriptor::wait_write, quietly);
        if (error) break;
    }
}

asio::awaitable<std::string> WorkerChannels::connections_of(WorkerChannelPtr channel, std::chrono::milliseconds limit) {
    ChannelHead head;
    head.type = static_cast<std::uint32_t>(ToWorkerChannel::list_connections);
    head.number = channel->asked_ = ++questions_;
    if (send_packet(channel->socket_.native_handle(), head) != PacketStatus::done) co_return std::string();
    asio::steady_timer tick(loop_);
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!channel->closed_ && channel->answered_ < head.number && std::chrono::steady_clock::now() < deadline) {
        tick.expires_after(std::chrono::milliseconds(5));
        co_await tick.async_wait(quietly);
    }
    if (channel->answered_ < head.number) co_return std::string();
    co_return channel->connections_;
}

}  // namespace gateway::process
