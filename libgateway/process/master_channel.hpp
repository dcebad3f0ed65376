// The master's end of the socket pair to one child: sends without blocking, keeps in order what the child does not yet
// read.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/process/messages.hpp"
#include "libgateway/process/packet.hpp"

namespace gateway::process {

class MasterChannel {
public:
    // Makes a pair, keeps one end and returns the other. Throws std::system_error.
    UniqueFd open();
    void adopt(UniqueFd fd) noexcept;
    void close() noexcept;
    int fd() const noexcept { return fd_.get(); }
    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    // The descriptors stay the caller's. A child that reads nothing (it is stopped) gets at most max_waiting messages
    // kept; false beyond that, and for a child that is gone.
    template <class Type>
    bool send(Type type, std::uint64_t number = 0, std::string_view text = {}, std::span<const std::byte> body = {},
              std::span<const int> fds = {}) {
        return send_any(static_cast<std::uint32_t>(type), number, text, body, fds);
    }
    // Sends on what waits; call it each turn of the loop.
    void flush() noexcept;

    static constexpr std::size_t max_waiting = 512;

private:
    struct Waiting {
        MasterHead head;
        std::vector<std::byte> body;
        std::vector<UniqueFd> fds;
    };
    bool send_any(std::uint32_t type, std::uint64_t number, std::string_view text, std::span<const std::byte> body,
                  std::span<const int> fds);
    PacketStatus send_one(const Waiting& waiting) noexcept;

    UniqueFd fd_;
    std::deque<Waiting> waiting_;
};

}  // namespace gateway::process
