// Streaming gzip compression with states that are kept between responses: one costs some 260 KiB.
#pragma once

#include <zlib.h>

#include <memory>
#include <string_view>
#include <vector>

#include "libgateway/base/arena.hpp"

namespace gateway::plugins {

// One response's compressor.
class Deflater {
public:
    explicit Deflater(int level) noexcept;
    ~Deflater();
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;

    enum class Flush : unsigned char { none, sync, finish };
    bool ready() const noexcept { return ready_; }
    // For the next response.
    bool reset() noexcept;
    // What is to be sent now; memory is the arena's. False: the library failed, the stream is spoilt.
    bool push(std::string_view bytes, Flush flush, Arena& arena, std::string_view& out);

private:
    z_stream stream_{};
    bool ready_ = false;
};

// Compressors of one level that nobody uses right now; one worker.
class DeflaterPool {
public:
    explicit DeflaterPool(int level) noexcept : level_(level) {}
    // Null if there is no memory for one.
    Deflater* take();
    void give(Deflater* deflater) noexcept;

private:
    static constexpr std::size_t most_idle = 16;
    int level_;
    std::vector<std::unique_ptr<Deflater>> idle_;
};

}  // namespace gateway::plugins
