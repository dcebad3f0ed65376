#include "libgateway/process/control_link.hpp"

#include <fcntl.h>
#include <poll.h>

#include <boost/asio/detached.hpp>

namespace gateway::process {

void MasterLink::run(std::function<void(PacketReader<MasterHead>&)> receive, std::function<void()> gone) {
    receive_ = std::move(receive);
    gone_ = std::move(gone);
    asio::co_spawn(loop_, read(), asio::detached);
}

asio::awaitable<void> MasterLink::read() {
    for (;;) {
        const auto [error] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, quietly);
        if (error) break;
        const PacketStatus status = packet_.receive(socket_.native_handle());
        if (status == PacketStatus::again) continue;
        if (status != PacketStatus::done) break;
        receive_(packet_);
    }
    gone_();
}

void MasterLink::send(ToMaster type, std::uint64_t number, std::string_view text, std::span<const std::byte> body,
                      int fd) {
    Waiting message;
    message.head.type = static_cast<std::uint32_t>(type);
    message.head.number = number;
    message.head.text.assign(text.substr(0, message.head.text.bytes.size() - 1));
    message.body.assign(body.begin(), body.end());
    if (fd >= 0) message.fd.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    waiting_.push_back(std::move(message));
    if (writing_) return;
    while (!waiting_.empty() && send_first() != PacketStatus::again) waiting_.pop_front();
    if (waiting_.empty()) return;
    writing_ = true;
    asio::co_spawn(loop_, write(), asio::detached);
}

PacketStatus MasterLink::send_first() {
    const Waiting& first = waiting_.front();
    const int fd = first.fd.get();
    return send_packet(socket_.native_handle(), first.head, first.body, std::span<const int>(&fd, fd >= 0 ? 1 : 0));
}

asio::awaitable<void> MasterLink::write() {
    while (!waiting_.empty()) {
        const auto [error] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_write, quietly);
        if (error) break;
        while (!waiting_.empty() && send_first() != PacketStatus::again) waiting_.pop_front();
    }
    writing_ = false;
}

void MasterLink::flush() {
    while (!waiting_.empty()) {
        pollfd one{socket_.native_handle(), POLLOUT, 0};
        if (::poll(&one, 1, 1000) <= 0) return;
        if (send_first() != PacketStatus::again) waiting_.pop_front();
    }
}

}  // namespace gateway::process
