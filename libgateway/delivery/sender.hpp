// What an outbox hands over, and to whom: a batch of log entries and the way they leave the gateway.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/task.hpp"

namespace gateway::delivery {

// Entries one behind the other; kept and used again, so that a warm outbox allocates nothing.
class Batch {
public:
    void add(std::string_view entry) {
        text_.append(entry);
        ends_.push_back(text_.size());
    }
    std::size_t size() const noexcept { return ends_.size() - first_; }
    bool empty() const noexcept { return size() == 0; }
    std::string_view operator[](std::size_t index) const noexcept {
        const std::size_t at = first_ + index, from = at == 0 ? 0 : ends_[at - 1];
        return std::string_view(text_).substr(from, ends_[at] - from);
    }
    std::size_t room() const noexcept { return text_.capacity(); }
    std::size_t bytes() const noexcept { return text_.size(); }
    // The first `count` are done with.
    void drop_front(std::size_t count) noexcept { first_ += count < size() ? count : size(); }
    void clear() noexcept {
        text_.clear();
        ends_.clear();
        first_ = 0;
    }

    // All entries with `between` between them, appended to `out`.
    void join(std::string& out, std::string_view between) const {
        for (std::size_t i = 0; i < size(); ++i) {
            if (i > 0) out.append(between);
            out.append((*this)[i]);
        }
    }

private:
    std::string text_;
    std::vector<std::size_t> ends_;
    std::size_t first_ = 0;
};

struct Sent {
    std::string error;             // empty: all of it
    std::size_t first_failed = 0;  // entries before it are done
};

// One way out. Lives as long as its outbox; several batches may be under way at once. Errors never name secrets.
class Sender {
public:
    virtual ~Sender() = default;
    virtual Task<Sent> send(const Batch& batch) = 0;
};

}  // namespace gateway::delivery
