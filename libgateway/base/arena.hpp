// Scratch memory of one exchange: bump allocation, freed whole. Blocks are kept by the arena, so a warm one never
// allocates.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gateway {

// Single thread. Pointers live until reset(); destructors of objects made in it do not run, so only trivial ones are
// allowed.
class Arena {
public:
    explicit Arena(std::size_t block = 2048) noexcept : block_(block) {}
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    void* take(std::size_t size, std::size_t align = alignof(std::max_align_t)) {
        const std::size_t at = (used_ + align - 1) & ~(align - 1);
        if (at + size > size_) [[unlikely]]
            return take_slow(size);
        used_ = at + size;
        return memory_ + at;
    }
    template <class T, class... Args>
    T* make(Args&&... args) {
        static_assert(std::is_trivially_destructible_v<T>);
        return ::new (take(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    }
    // `count` uninitialised characters.
    char* chars(std::size_t count) { return static_cast<char*>(take(count, 1)); }
    std::string_view copy(std::string_view text) {
        char* to = chars(text.size());
        if (!text.empty()) std::memcpy(to, text.data(), text.size());
        return {to, text.size()};
    }
    std::string_view join(std::string_view a, std::string_view b, std::string_view c = {}) {
        char* to = chars(a.size() + b.size() + c.size());
        char* end = to;
        for (std::string_view part : {a, b, c}) {
            if (!part.empty()) std::memcpy(end, part.data(), part.size());
            end += part.size();
        }
        return {to, static_cast<std::size_t>(end - to)};
    }
    // Forgets everything; keeps the first block, gives the others back.
    void reset() noexcept {
        if (blocks_.size() > 1) {
            blocks_.resize(1);
            use_last();
        }
        used_ = 0;
    }
    // Gives all memory back, for an owner that goes idle.
    void release() noexcept {
        blocks_.clear();
        memory_ = nullptr;
        size_ = used_ = 0;
    }

private:
    struct Block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t size;
    };
    [[gnu::noinline]] void* take_slow(std::size_t size) {
        const std::size_t bytes = size > block_ ? size : block_;
        blocks_.push_back({std::unique_ptr<std::byte[]>(new std::byte[bytes]), bytes});
        use_last();
        used_ = size;
        return memory_;
    }
    void use_last() noexcept {
        memory_ = blocks_.back().memory.get();
        size_ = blocks_.back().size;
    }
    std::vector<Block> blocks_;
    std::byte* memory_ = nullptr;  // of the last block
    std::size_t size_ = 0, used_ = 0, block_;
};

}  // namespace gateway
