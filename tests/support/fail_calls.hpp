// Makes the Nth socket call of another process fail, or lets every call move one byte only: every error path of a whole
// gateway can be walked from a test. Works by preloading fail_calls.so into the process.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "tests/support/temp_dir.hpp"

namespace gateway::test {

// Shared between test and process; zeros mean that nothing fails.
struct FailPage {
    enum Call : std::uint32_t { receive = 1, transmit = 2, connecting = 4, accepting = 8, every = 15 };
    std::atomic<std::uint32_t> calls, one_byte, failed;
    std::atomic<std::int32_t> error;
    std::atomic<std::int64_t> left;  // good calls before the one that fails; negative: none fails
    std::atomic<std::uint64_t> seen;
};

// Start the process with `environment()`; then arm it at any time. Only calls on TCP sockets count, in all its
// processes.
class FailCalls {
public:
    FailCalls() {
        const auto file = folder_.write("page", std::string(sizeof(FailPage), '\0'));
        const UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
        void* memory = ::mmap(nullptr, sizeof(FailPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
        if (memory == MAP_FAILED) throw std::runtime_error("cannot map the page of fail_calls");
        page_ = new (memory) FailPage{};
        page_->left = -1;
    }
    FailCalls(const FailCalls&) = delete;
    FailCalls& operator=(const FailCalls&) = delete;
    ~FailCalls() { ::munmap(page_, sizeof(FailPage)); }

    std::vector<std::string> environment() const {
        return {"LD_PRELOAD=" + std::string(GATEWAY_BIN_DIR) + "/fail_calls.so",
                "GATEWAY_FAIL_PAGE=" + (folder_ / "page").string(),
                "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0"};
    }
    // After `good` calls of these kinds the next one fails with `error`, once.
    void arm(std::uint32_t calls, std::int64_t good, int error = ECONNRESET) noexcept {
        page_->left = -1;
        page_->failed = 0;
        page_->seen = 0;
        page_->error = error;
        page_->calls = calls;
        page_->left = good;
    }
    void disarm() noexcept { page_->left = -1; }
    void one_byte_at_a_time(bool on) noexcept { page_->one_byte = on ? 1 : 0; }
    bool failed() const noexcept { return page_->failed != 0; }
    std::uint64_t seen() const noexcept { return page_->seen; }

private:
    TempDir folder_;
    FailPage* page_ = nullptr;
};

}  // namespace gateway::test
