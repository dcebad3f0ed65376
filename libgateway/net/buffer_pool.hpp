// Blocks of a worker's memory by size class, lent to whoever has bytes in hand right now. Idle connections hold none.
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <span>
#include <utility>
#include <vector>

namespace gateway::net {

class BufferPool;

// A lent block; goes back when destroyed.
class Buffer {
public:
    Buffer() noexcept = default;
    Buffer(Buffer&& other) noexcept
        : pool_(other.pool_), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Buffer() { reset(); }
    inline void reset() noexcept;
    char* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    std::span<char> from(std::size_t offset) const noexcept { return {data_ + offset, size_ - offset}; }
    explicit operator bool() const noexcept { return data_ != nullptr; }

private:
    friend class BufferPool;
    Buffer(BufferPool& pool, char* data, std::size_t size) noexcept : pool_(&pool), data_(data), size_(size) {}
    BufferPool* pool_ = nullptr;
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

class BufferPool {
public:
    static constexpr std::array<std::size_t, 4> classes{4096, 16384, 65536, 262144};
    BufferPool() = default;
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;
    ~BufferPool() { trim(); }

    // The smallest class that holds `least`; larger than the largest class: allocated and freed each time.
    Buffer take(std::size_t least) {
        for (std::size_t i = 0; i < classes.size(); ++i) {
            if (least > classes[i]) continue;
            auto& list = free_[i];
            if (list.empty()) return {*this, static_cast<char*>(::operator new(classes[i])), classes[i]};
            char* data = list.back();
            list.pop_back();
            return {*this, data, classes[i]};
        }
        return {*this, static_cast<char*>(::operator new(least)), least};
    }
    // Frees idle blocks; called when a worker has been quiet.
    void trim() noexcept {
        for (auto& list : free_) {
            for (char* data : list) ::operator delete(data);
            list.clear();
            list.shrink_to_fit();
        }
    }

private:
    friend class Buffer;
    static constexpr std::size_t kept_bytes = 8u << 20;  // per class; more is given back to the heap
    void give(char* data, std::size_t size) noexcept {
        for (std::size_t i = 0; i < classes.size(); ++i) {
            if (size == classes[i] && free_[i].size() * size < kept_bytes) {
                free_[i].push_back(data);
                return;
            }
        }
        ::operator delete(data);
    }
    std::array<std::vector<char*>, classes.size()> free_;
};

inline void Buffer::reset() noexcept {
    if (data_) pool_->give(data_, size_);
    data_ = nullptr;
    size_ = 0;
}

}  // namespace gateway::net
