#include "libgateway/process/listening.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace gateway::process {

namespace {

// The kernel cuts it to net.core.somaxconn.
constexpr int backlog = 65535;

[[noreturn]] void throw_address(const char* what, const sockaddr_storage& address, int error) {
    throw std::runtime_error(std::string("cannot ") + what + " " + address_text(address) + ": " + std::strerror(error));
}

bool set(int fd, int level, int option, int value) noexcept {
    return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

UniqueFd make_socket(const ListenerPlan& plan) {
    UniqueFd fd(::socket(plan.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw_address("open a socket for", plan.address, errno);
    set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (plan.address.ss_family == AF_INET6) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, plan.ipv6_only);
    return fd;
}

UniqueFd listen_on(const ListenerPlan& plan, const sockaddr_storage& address, bool reuse_port) {
    UniqueFd fd = make_socket(plan);
    if (reuse_port && !set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) throw_address("share", address, errno);
    set(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it: one system call less per connection
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), plan.address_size) != 0) {
        throw_address("listen on", address, errno);
    }
    if (::listen(fd.get(), backlog) != 0) throw_address("listen on", address, errno);
    return fd;
}

sockaddr_storage address_of(int fd) noexcept {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return address;
}

// A random number chooses one of `positions`; the value returned is an index into the kernel's array.
std::vector<sock_filter> program_for(std::span<const std::uint8_t> positions) {
    std::vector<sock_filter> program;
    const auto random = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM);
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, random));
    program.push_back(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(positions.size())));
    for (std::uint32_t i = 0; i + 1 < positions.size(); ++i) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i, 0, 1));
        program.push_back(BPF_STMT(BPF_RET | BPF_K, positions[i]));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, positions.back()));
    return program;
}

}  // namespace

ListeningGroup::ListeningGroup(const ListenerPlan& plan, std::uint32_t slot, bool reuse_port)
    : asked_(plan), bound_(plan.address), slot_(slot), reuse_port_(reuse_port) {}

ListeningGroup::ListeningGroup(const Saved& saved)
    : asked_(saved.asked), bound_(saved.bound), slot_(saved.slot), reuse_port_(saved.reuse_port != 0) {
    if (saved.order_size > max_workers) throw std::runtime_error("handed-over listener: wrong count");
    order_.assign(saved.order.begin(), saved.order.begin() + saved.order_size);
    for (std::size_t i = 0; i < max_workers; ++i) {
        if (saved.fds[i] < 0) continue;
        sockets_[i].reset(saved.fds[i]);
        int listens = 0;
        socklen_t size = sizeof listens;
        if (::getsockopt(saved.fds[i], SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens) {
            throw std::runtime_error("handed-over descriptor is no listener: " + address_text(bound_));
        }
    }
}

ListeningGroup::Saved ListeningGroup::save() const noexcept {
    Saved saved;
    saved.asked = asked_;
    saved.bound = bound_;
    saved.slot = slot_;
    saved.used = 1;
    saved.reuse_port = reuse_port_;
    saved.order_size = static_cast<std::uint32_t>(order_.size());
    std::copy(order_.begin(), order_.end(), saved.order.begin());
    for (std::size_t i = 0; i < max_workers; ++i) saved.fds[i] = sockets_[i].get();
    return saved;
}

ListenerPlan ListeningGroup::bound() const noexcept {
    ListenerPlan plan = asked_;
    plan.address = bound_;
    return plan;
}

bool ListeningGroup::open(std::uint32_t worker) {
    if (sockets_[worker]) return false;
    if (!reuse_port_ && !order_.empty()) {
        sockets_[worker].reset(::fcntl(sockets_[order_.front()].get(), F_DUPFD_CLOEXEC, 3));
        if (!sockets_[worker]) throw_address("share", bound_, errno);
    } else {
        sockets_[worker] = listen_on(asked_, bound_, reuse_port_);
        if (order_.empty()) bound_ = address_of(sockets_[worker].get());
    }
    order_.push_back(static_cast<std::uint8_t>(worker));
    return true;
}

void ListeningGroup::close(std::uint32_t worker) noexcept {
    if (!sockets_[worker]) return;
    // A child between fork and exec may hold a copy for a moment; the kernel's array must change now, as ours does.
    if (reuse_port_) ::shutdown(sockets_[worker].get(), SHUT_RD);
    sockets_[worker].reset();
    const auto at = std::find(order_.begin(), order_.end(), static_cast<std::uint8_t>(worker));
    if (at == order_.end()) return;
    *at = order_.back();
    order_.pop_back();
}

void ListeningGroup::release(std::uint32_t worker) noexcept {
    if (!steered_) close(worker);
}

bool ListeningGroup::has_waiting(std::uint32_t worker) const noexcept {
    if (!reuse_port_ || !sockets_[worker]) return false;
    pollfd one{sockets_[worker].get(), POLLIN, 0};
    return ::poll(&one, 1, 0) > 0 && (one.revents & POLLIN) != 0;
}

void ListeningGroup::close_all() noexcept {
    for (std::uint32_t i = 0; i < max_workers; ++i) close(i);
}

void ListeningGroup::let_go() noexcept {
    for (UniqueFd& socket : sockets_) socket.reset();
    order_.clear();
}

bool ListeningGroup::steer(const SlotSet& live) noexcept {
    if (!reuse_port_ || order_.empty()) return true;
    std::vector<std::uint8_t> positions, all;
    for (std::size_t i = 0; i < order_.size(); ++i) {
        all.push_back(static_cast<std::uint8_t>(i));
        if (live[order_[i]]) positions.push_back(static_cast<std::uint8_t>(i));
    }
    std::vector<sock_filter> program = program_for(positions.empty() ? all : positions);
    const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
    const int any = sockets_[order_.front()].get();
    steered_ = ::setsockopt(any, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached) == 0;
    return steered_;
}

std::string probe(const ListenerPlan& plan) try {
    const UniqueFd fd = make_socket(plan);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&plan.address), plan.address_size) == 0) return {};
    std::string text = "cannot listen on " + address_text(plan.address) + ": " + std::strerror(errno);
    if (errno == EADDRINUSE) text += " (another process, or another listener of this gateway, holds it)";
    if (errno == EACCES) text += " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    return text;
} catch (const std::runtime_error& error) {
    return error.what();
}

UniqueFd open_interface(const PlanAddress& where) {
    ListenerPlan plan;
    plan.address = where.address;
    plan.address_size = where.size;
    return listen_on(plan, where.address, false);
}

std::uint16_t bound_port(int socket) noexcept {
    return port_of(address_of(socket));
}

}  // namespace gateway::process
