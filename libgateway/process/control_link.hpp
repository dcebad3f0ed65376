// Control's end of the pair to the master: in order, never blocking, and the end of control when the master is gone.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <functional>
#include <string_view>
#include <vector>

#include "libgateway/process/control_async.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/packet.hpp"

namespace gateway::process {

// Loop thread of control.
class MasterLink {
public:
    MasterLink(asio::io_context& loop, UniqueFd socket) : socket_(loop, socket.release()), loop_(loop) {}

    // `receive` sees every packet (its views are good during the call only); `gone` is called once, at EOF.
    void run(std::function<void(PacketReader<MasterHead>&)> receive, std::function<void()> gone);
    // The descriptor stays the caller's. A text that is too long is cut.
    void send(ToMaster type, std::uint64_t number = 0, std::string_view text = {}, std::span<const std::byte> body = {},
              int fd = -1);
    // Waits, by blocking, until all that was sent has left: for the last words of a process that ends.
    void flush();

private:
    struct Waiting {
        MasterHead head;
        std::vector<std::byte> body;
        UniqueFd fd;
    };
    asio::awaitable<void> read();
    asio::awaitable<void> write();
    PacketStatus send_first();

    asio::posix::stream_descriptor socket_;
    asio::io_context& loop_;
    std::function<void(PacketReader<MasterHead>&)> receive_;
    std::function<void()> gone_;
    PacketReader<MasterHead> packet_;
    std::deque<Waiting> waiting_;
    bool writing_ = false;
};

}  // namespace gateway::process
