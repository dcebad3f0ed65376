// The system calls of every request, without what libc wraps around them.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace gateway::net::calls {

// In a program with a second thread (the log's) libc makes each of these a point of cancellation, which costs 1.5 % of
// a proxied request. Results and errno are those of the functions in libc.
inline ssize_t receive(int fd, void* to, std::size_t size) noexcept {
    return ::syscall(SYS_recvfrom, fd, to, size, 0, nullptr, nullptr);
}
inline ssize_t send(int fd, const void* from, std::size_t size) noexcept {
    return ::syscall(SYS_sendto, fd, from, size, MSG_NOSIGNAL, nullptr, 0);
}
inline ssize_t send_message(int fd, const msghdr& message) noexcept {
    return ::syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL);
}
inline int wait(int epoll, epoll_event* events, int most, int timeout_ms) noexcept {
    return static_cast<int>(::syscall(SYS_epoll_pwait, epoll, events, most, timeout_ms, nullptr, 8));
}

}  // namespace gateway::net::calls
