// Deadlines of a worker: one wheel with a 100 ms tick. Arming again costs a store, not a list operation.
#pragma once

#include <array>
#include <cstdint>

#include "libgateway/base/clock.hpp"

namespace gateway::net {

class DeadlineWheel;

// One deadline of one thing that waits; owned by it, unlinks itself when destroyed. Fires at most once per arm().
class DeadlineNode {
public:
    using Fired = void (*)(DeadlineNode&);
    explicit DeadlineNode(Fired fired) noexcept : fired_(fired) {}
    ~DeadlineNode() { unlink(); }
    DeadlineNode(const DeadlineNode&) = delete;
    DeadlineNode& operator=(const DeadlineNode&) = delete;
    // Leaves the node where it is linked; the wheel forgets it when it next comes by.
    void disarm() noexcept { expires_ = never; }
    bool armed() const noexcept { return expires_ != never; }

private:
    friend class DeadlineWheel;
    static constexpr std::int64_t never = INT64_MAX;
    void unlink() noexcept {
        if (!previous_) return;
        *previous_ = next_;
        if (next_) next_->previous_ = previous_;
        previous_ = nullptr;
    }
    Fired fired_;
    std::int64_t expires_ = never;  // tick
    std::int64_t linked_ = 0;       // tick of the slot it is linked in
    DeadlineNode* next_ = nullptr;
    DeadlineNode** previous_ = nullptr;
};

class DeadlineWheel {
public:
    static constexpr std::int64_t tick_ms = 100, slots = 1024;

    // `node` fires at the first tick at or after `now_ms + after`, that is up to 100 ms late.
    void arm(DeadlineNode& node, std::int64_t now_ms, Milliseconds after) noexcept {
        const std::int64_t tick = (now_ms + after.count()) / tick_ms + 1;
        node.expires_ = tick;
        if (node.previous_ && node.linked_ <= tick) return;  // found again on the way, and moved on then
        node.unlink();
        link(node, tick);
    }
    // Fires what is due. Nodes may be armed, disarmed or destroyed by what they fire.
    void advance(std::int64_t now_ms) noexcept {
        const std::int64_t tick = now_ms / tick_ms;
        if (current_ == 0) current_ = tick - 1;
        if (count_hint_ == 0) {
            current_ = tick;
            return;
        }
        if (tick - current_ > slots) current_ = tick - slots;
        while (current_ < tick) sweep(++current_);
    }
    // Milliseconds until the next slot may have something due; -1 if nothing is linked.
    std::int64_t until_next(std::int64_t now_ms) const noexcept {
        if (count_hint_ == 0) return -1;
        return tick_ms - now_ms % tick_ms;
    }

private:
    void link(DeadlineNode& node, std::int64_t tick) noexcept {
        if (tick <= current_) tick = current_ + 1;
        if (tick > current_ + slots - 1) tick = current_ + slots - 1;
        node.linked_ = tick;
        DeadlineNode*& head = heads_[static_cast<std::size_t>(tick % slots)];
        node.next_ = head;
        node.previous_ = &head;
        if (head) head->previous_ = &node.next_;
        head = &node;
        count_hint_ = 1;
    }
    void sweep(std::int64_t tick) noexcept {
        DeadlineNode* due = heads_[static_cast<std::size_t>(tick % slots)];
        heads_[static_cast<std::size_t>(tick % slots)] = nullptr;
        if (due) due->previous_ = &due;
        while (due) {
            DeadlineNode& node = *due;
            node.unlink();
            if (node.expires_ == DeadlineNode::never) continue;
            if (node.expires_ > tick) {
                link(node, node.expires_);
                continue;
            }
            node.expires_ = DeadlineNode::never;
            node.fired_(node);
        }
    }
    std::array<DeadlineNode*, slots> heads_{};
    std::int64_t current_ = 0;
    int count_hint_ = 0;  // 0 until the first deadline was ever linked
};

}  // namespace gateway::net
