#include "libgateway/plugin/services.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace gateway {
namespace {

// Bytes of the kernel's generator, fetched many at a time: one system call for some 30 request ids.
struct Reserve {
    std::array<unsigned char, 512> bytes;
    std::size_t left = 0;
};
thread_local constinit Reserve reserve{};

void refill() noexcept {
    std::size_t have = 0;
    while (have < reserve.bytes.size()) {
        const ssize_t got = ::getrandom(reserve.bytes.data() + have, reserve.bytes.size() - have, 0);
        if (got > 0) have += static_cast<std::size_t>(got);
    }
    reserve.left = reserve.bytes.size();
}

}  // namespace

Task<MetricsText> Services::metrics(Arena&) {
    co_return MetricsText{};
}

void Services::secure_random(void* to, std::size_t size) noexcept {
    auto* out = static_cast<unsigned char*>(to);
    while (size > 0) {
        if (reserve.left == 0) refill();
        const std::size_t part = std::min(size, reserve.left);
        unsigned char* from = reserve.bytes.data() + (reserve.bytes.size() - reserve.left);
        std::memcpy(out, from, part);
        std::memset(from, 0, part);
        reserve.left -= part;
        out += part;
        size -= part;
    }
}

}  // namespace gateway
