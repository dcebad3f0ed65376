// Every socket that the master opens: listening groups of the workers, and those of control.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/process/plan.hpp"

namespace gateway::process {

// Worker slots that new connections may be given to.
using SlotSet = std::array<bool, max_workers>;

// The sockets of one address: with SO_REUSEPORT one per worker slot, each with its own accept queue; else one, shared
// by all. The kernel keeps the sockets of such a group in an array, in the order in which they began to listen; closing
// one moves the last into its place. `order_` is our copy of that array, for the BPF program that picks the socket of a
// new connection. The master holds all of them as long as the group lives, so no queue is lost when a worker dies, and
// none is closed when its slot becomes free: between a close and a new program the old one would point to the wrong
// sockets, and a connection could be given to one that nobody serves.
class ListeningGroup {
public:
    // Throws std::runtime_error naming the address.
    ListeningGroup(const ListenerPlan& plan, std::uint32_t slot, bool reuse_port);

    // As the static file asks for it, port 0 included: identifies the group at a reload.
    const ListenerPlan& asked() const noexcept { return asked_; }
    // With the port that was bound.
    ListenerPlan bound() const noexcept;
    // The listener slot that workers know it by. A group whose settings changed gets a new one.
    std::uint32_t slot() const noexcept { return slot_; }
    void rename(const ListenerPlan& plan, std::uint32_t slot) noexcept {
        asked_ = plan;
        slot_ = slot;
    }

    // False: it was open. Throws std::runtime_error.
    bool open(std::uint32_t worker);
    void close(std::uint32_t worker) noexcept;
    // Nobody serves this slot any more. Its socket waits for the slot's next worker where connections are steered;
    // elsewhere it is closed.
    void release(std::uint32_t worker) noexcept;
    // Whether connections wait in the queue of that slot alone. A handshake that began before new connections were
    // steered away may end after the worker has left.
    bool has_waiting(std::uint32_t worker) const noexcept;
    void close_all() noexcept;
    // Closes the master's copies only: each socket listens on until its worker closes it.
    void let_go() noexcept;
    int fd(std::uint32_t worker) const noexcept { return sockets_[worker].get(); }
    // Gives new connections to the live slots only, at random; to any slot while none is live. False: the kernel
    // refused.
    bool steer(const SlotSet& live) noexcept;

    // The same group in another process image.
    struct Saved {
        ListenerPlan asked;
        sockaddr_storage bound{};
        std::uint32_t slot = 0, order_size = 0;
        std::uint8_t reuse_port = 1, used = 0, reserved[6] = {};
        std::array<std::uint8_t, max_workers> order{};
        std::array<std::int32_t, max_workers> fds{};
    };
    Saved save() const noexcept;
    explicit ListeningGroup(
        const Saved& saved);  // takes the descriptors; throws std::runtime_error if one is no listener

    std::int64_t closing_at_ns = 0;  // not 0: taken out of the plan; closed then unless a reload asks for it again

private:
    ListenerPlan asked_;
    sockaddr_storage bound_{};
    std::uint32_t slot_;
    bool reuse_port_, steered_ = false;
    std::array<UniqueFd, max_workers> sockets_;
    std::vector<std::uint8_t> order_;
};

// Empty if `plan` could be opened now; else why not, naming the address. Binds without SO_REUSEPORT, which fails if any
// other process listens there, whatever options it uses: a second gateway must not silently take half of the
// connections.
std::string probe(const ListenerPlan& plan);

// All throw std::runtime_error naming the address or path.
// One of control's own, which is there.
UniqueFd open_interface(const PlanAddress& where);
// Owner only. A stale file is replaced; one that somebody answers on, or that is no socket, is an error.
UniqueFd open_control_socket(const std::string& path, const Plan& plan);
// SEQPACKET in the abstract namespace under a name that the kernel chose; `address` is that name without its first byte
// (NUL).
UniqueFd open_channel_listener(FixedText<108>& address);
std::uint16_t bound_port(int socket) noexcept;

}  // namespace gateway::process
