#include "libgateway/process/master_channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

namespace gateway::process {

UniqueFd MasterChannel::open() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        throw std::system_error(errno, std::system_category(), "channel to a child");
    }
    adopt(UniqueFd(ends[0]));
    return UniqueFd(ends[1]);
}

void MasterChannel::adopt(UniqueFd fd) noexcept {
    waiting_.clear();
    fd_ = std::move(fd);
}

void MasterChannel::close() noexcept {
    waiting_.clear();
    fd_.reset();
}

bool MasterChannel::send_any(std::uint32_t type, std::uint64_t number, std::string_view text,
                             std::span<const std::byte> body, std::span<const int> fds) {
    if (!fd_) return false;
    MasterHead head;
    head.type = type;
    head.number = number;
    // A longer text is cut: it is for people, and half of it is better than none.
    head.text.assign(text.substr(0, head.text.bytes.size() - 1));
    if (waiting_.empty()) {
        const PacketStatus status = send_packet(fd_.get(), head, body, fds);
        if (status != PacketStatus::again) return status == PacketStatus::done;
    }
    if (waiting_.size() >= max_waiting) return false;
    Waiting& last = waiting_.emplace_back();
    last.head = head;
    last.body.assign(body.begin(), body.end());
    for (const int fd : fds) last.fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    return true;
}

void MasterChannel::flush() noexcept {
    while (fd_ && !waiting_.empty()) {
        if (send_one(waiting_.front()) == PacketStatus::again) return;
        waiting_.pop_front();
    }
}

PacketStatus MasterChannel::send_one(const Waiting& waiting) noexcept {
    std::array<int, max_packet_fds> fds{};
    std::size_t count = 0;
    for (const UniqueFd& fd : waiting.fds) fds[count++] = fd.get();
    return send_packet(fd_.get(), waiting.head, waiting.body, {fds.data(), count});
}

}  // namespace gateway::process
