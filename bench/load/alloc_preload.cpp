// Preloaded into a program under measurement: counts its heap allocations, process by process, in a file of 64-bit
// pairs (pid, count) named by GATEWAY_ALLOC_FILE, where the bench reads them while the program runs.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace {

constexpr std::size_t slots = 256;
struct Slot {
    std::atomic<std::uint64_t> pid, count;
};

Slot* table = nullptr;
std::atomic<Slot*> mine{nullptr};

// A slot of its own for this process; without one (no file, table full) nothing is counted.
void claim_slot() {
    mine = nullptr;
    for (std::size_t i = 0; table != nullptr && i < slots; ++i) {
        std::uint64_t nobody = 0;
        if (!table[i].pid.compare_exchange_strong(nobody, static_cast<std::uint64_t>(::getpid()))) continue;
        mine = &table[i];
        return;
    }
}

__attribute__((constructor)) void start_counting() {
    const char* name = ::getenv("GATEWAY_ALLOC_FILE");
    if (name == nullptr) return;
    const int file = ::open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || ::ftruncate(file, sizeof(Slot) * slots) != 0) return;
    void* memory = ::mmap(nullptr, sizeof(Slot) * slots, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED) return;
    table = static_cast<Slot*>(memory);
    claim_slot();
    ::pthread_atfork(nullptr, nullptr, claim_slot);
}

void count() {
    if (Slot* slot = mine.load(std::memory_order_relaxed)) slot->count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t number, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
    count();
    return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}
void* realloc(void* block, size_t size) {
    count();
    return __libc_realloc(block, size);
}
void* memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, size_t alignment, size_t size) {
    count();
    *block = __libc_memalign(alignment, size);
    return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"
