#include "libgateway/process/sd_notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "libgateway/base/clock.hpp"
#include "libgateway/base/strings.hpp"

namespace gateway::process {

SdNotify::SdNotify()
    : SdNotify(std::getenv("NOTIFY_SOCKET"), std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID")) {}

SdNotify::SdNotify(const char* socket, const char* watchdog_usec, const char* watchdog_pid) {
    if (!socket || (socket[0] != '/' && socket[0] != '@') || std::strlen(socket) >= sizeof(sockaddr_un::sun_path))
        return;
    address_ = socket;
    if (address_[0] == '@') address_[0] = '\0';
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (watchdog_pid && parse_decimal<int>(watchdog_pid) != ::getpid()) return;
    // Half of the interval, as the protocol advises, so that one late turn does not end the service.
    if (watchdog_usec) watchdog_ns_ = parse_decimal<std::int64_t>(watchdog_usec).value_or(0) * 1000 / 2;
}

void SdNotify::ready(std::string_view status) {
    last_status_ = status;
    send("READY=1\nMAINPID=" + std::to_string(::getpid()) + "\nSTATUS=" + last_status_);
}

void SdNotify::reloading() {
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_ns() / 1000));
}

void SdNotify::stopping() {
    send("STOPPING=1\nSTATUS=stopping");
}

void SdNotify::status(std::string_view status) {
    if (last_status_ == status) return;
    last_status_ = status;
    send("STATUS=" + last_status_);
}

void SdNotify::watchdog(std::int64_t now_ns) {
    if (watchdog_ns_ == 0 || now_ns - last_ping_ns_ < watchdog_ns_) return;
    last_ping_ns_ = now_ns;
    send("WATCHDOG=1");
}

void SdNotify::send(std::string_view text) noexcept {
    if (address_.empty() || !socket_) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, address_.data(), address_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    (void)::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                   reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace gateway::process
