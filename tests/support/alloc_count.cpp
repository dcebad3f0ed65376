#include "tests/support/alloc_count.hpp"

#include <errno.h>
#include <stddef.h>

namespace {

thread_local constinit std::uint64_t counted = 0;

}  // namespace

namespace gateway::test {

std::uint64_t allocations_of_this_thread() noexcept {
    return counted;
}

}  // namespace gateway::test

#ifdef GATEWAY_SANITIZED

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, size_t),
                                                         void (*on_free)(const volatile void*));

namespace {

// The sanitizer owns malloc, so its own hook does the counting.
const int installed = __sanitizer_install_malloc_and_free_hooks([](const volatile void*, size_t) { ++counted; },
                                                                [](const volatile void*) {});

}  // namespace

#else

extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
    ++counted;
    return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
    ++counted;
    return __libc_calloc(count, size);
}
void* realloc(void* block, size_t size) {
    ++counted;
    return __libc_realloc(block, size);
}
void* memalign(size_t alignment, size_t size) {
    ++counted;
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
    ++counted;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, size_t alignment, size_t size) {
    ++counted;
    *block = __libc_memalign(alignment, size);
    return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"

#endif
