#include "libgateway/process/heap_pages.hpp"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <limits>

namespace gateway::process {

namespace {

#ifdef MADV_COLLAPSE
constexpr int collapse = MADV_COLLAPSE;
#else
constexpr int collapse = 25;  // glibc 2.36 does not name it yet
#endif

}  // namespace

HeapPages::HeapPages() noexcept : next_((end() + piece - 1) / piece * piece), worth_it_(next_ + small_heap) {}

std::uintptr_t HeapPages::end() noexcept {
    return reinterpret_cast<std::uintptr_t>(::sbrk(0));
}

void HeapPages::move_one() noexcept {
    if (::madvise(reinterpret_cast<void*>(next_), piece, collapse) == 0) {
        ++moved_;
    } else if (errno == EINVAL) {
        worth_it_ = std::numeric_limits<std::uintptr_t>::max();  // not with this kernel
    }
    next_ += piece;
}

}  // namespace gateway::process
