// Preloaded into a program under test: makes its Nth socket call fail, or cuts every call down to one byte, as the page
// named by GATEWAY_FAIL_PAGE says. The layout is FailPage in tests/support/fail_calls.hpp; the test writes it
// meanwhile.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/support/fail_calls.hpp"

namespace {

using gateway::test::FailPage;

FailPage* page = nullptr;

template <class... Arguments>
long next_call(long number, Arguments... arguments) {
    static const auto real = reinterpret_cast<long (*)(long, ...)>(::dlsym(RTLD_NEXT, "syscall"));
    return real(number, arguments...);
}

__attribute__((constructor)) void find_page() {
    const char* name = ::getenv("GATEWAY_FAIL_PAGE");
    if (name == nullptr) return;
    const int file = ::open(name, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void* memory = ::mmap(nullptr, sizeof(FailPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory != MAP_FAILED) page = static_cast<FailPage*>(memory);
}

// Only TCP counts: channels between the gateway's own processes are unix sockets.
bool is_tcp(int fd) {
    sockaddr_storage address;
    socklen_t size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
    return address.ss_family == AF_INET || address.ss_family == AF_INET6;
}

// Whether this call is the one to fail; counts it if not.
bool fails(int fd, FailPage::Call call) {
    if (page == nullptr || (page->calls.load() & call) == 0 || !is_tcp(fd)) return false;
    ++page->seen;
    if (page->left.load() < 0 || page->left.fetch_sub(1) != 0) return false;
    page->failed = 1;
    errno = page->error.load();
    return true;
}

size_t cut(int fd, size_t size) {
    return page != nullptr && page->one_byte && size > 1 && is_tcp(fd) ? 1 : size;
}

// The message with only its first byte, when calls are cut.
ssize_t message_call(long number, int fd, const msghdr* message, int flags) {
    if (page == nullptr || !page->one_byte || !is_tcp(fd)) return next_call(number, fd, message, flags);
    for (size_t i = 0; i < message->msg_iovlen; ++i) {
        if (message->msg_iov[i].iov_len == 0) continue;
        iovec first{message->msg_iov[i].iov_base, 1};
        msghdr small = *message;
        small.msg_iov = &first;
        small.msg_iovlen = 1;
        return next_call(number, fd, &small, flags);
    }
    return next_call(number, fd, message, flags);
}

}  // namespace

extern "C" {

ssize_t recv(int fd, void* to, size_t size, int flags) {
    if (fails(fd, FailPage::receive)) return -1;
    return next_call(SYS_recvfrom, fd, to, cut(fd, size), flags, nullptr, nullptr);
}
ssize_t send(int fd, const void* from, size_t size, int flags) {
    if (fails(fd, FailPage::transmit)) return -1;
    return next_call(SYS_sendto, fd, from, cut(fd, size), flags, nullptr, 0);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
    if (fails(fd, FailPage::receive)) return -1;
    return next_call(SYS_recvmsg, fd, message, flags);
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    if (fails(fd, FailPage::transmit)) return -1;
    return message_call(SYS_sendmsg, fd, message, flags);
}
int connect(int fd, const sockaddr* address, socklen_t size) {
    if (fails(fd, FailPage::connecting)) return -1;
    return static_cast<int>(next_call(SYS_connect, fd, address, size));
}
int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
    if (fails(fd, FailPage::accepting)) return -1;
    return static_cast<int>(next_call(SYS_accept4, fd, address, size, flags));
}

// The gateway's own loop makes its calls this way.
long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long argument[6];
    for (long& value : argument) value = va_arg(list, long);
    va_end(list);
    const int fd = static_cast<int>(argument[0]);
    const auto size = static_cast<size_t>(argument[2]);
    if (number == SYS_recvfrom)
        return recv(fd, reinterpret_cast<void*>(argument[1]), size, static_cast<int>(argument[3]));
    if (number == SYS_sendto && argument[4] == 0)
        return send(fd, reinterpret_cast<const void*>(argument[1]), size, static_cast<int>(argument[3]));
    if (number == SYS_sendmsg)
        return sendmsg(fd, reinterpret_cast<const msghdr*>(argument[1]), static_cast<int>(argument[2]));
    return next_call(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

}  // extern "C"
