#include <cstring>

#include "libgateway/proxy/relay.hpp"
#include "libgateway/proxy/site.hpp"

namespace gateway::proxy {

namespace {

enum class PipeState : std::uint8_t { wants_bytes, wants_room, turn, ended, broken };

// One direction. Holds a block only while bytes are under way, so a quiet tunnel holds none.
class Pipe {
public:
    Pipe(net::Stream& from, net::Stream& to, net::BufferPool& buffers) noexcept
        : from_(from), to_(to), buffers_(buffers) {}

    void preload(std::string_view bytes) {
        if (bytes.empty()) return;
        block_ = buffers_.take(bytes.size());
        std::memcpy(block_.data(), bytes.data(), bytes.size());
        end_ = bytes.size();
    }
    PipeState step() {
        for (int reads = 0;; ++reads) {
            while (begin_ < end_) {
                const iovec part{block_.data() + begin_, end_ - begin_};
                const net::IoResult sent = to_.write(&part, 1);
                if (sent.state == net::IoState::would_block) return PipeState::wants_room;
                if (sent.state != net::IoState::done) return PipeState::broken;
                begin_ += sent.bytes;
                moved_ += sent.bytes;
            }
            if (ended_) return PipeState::ended;
            if (!from_.descriptor().has(net::readable)) {
                block_.reset();
                return PipeState::wants_bytes;
            }
            if (reads == reads_per_turn) return PipeState::turn;
            if (!block_) block_ = buffers_.take(16384);
            const net::IoResult got = from_.read(block_.from(0));
            begin_ = end_ = 0;
            if (got.state == net::IoState::failed) return PipeState::broken;
            if (got.state == net::IoState::closed) {
                ended_ = true;
                to_.shutdown_write();
                return PipeState::ended;
            }
            end_ = got.bytes;
        }
    }
    std::uint64_t moved() const noexcept { return moved_; }

private:
    net::Stream &from_, &to_;
    net::BufferPool& buffers_;
    net::Buffer block_;
    std::size_t begin_ = 0, end_ = 0;
    std::uint64_t moved_ = 0;
    bool ended_ = false;
};

}  // namespace

Task<void> tunnel(ProxyExchange& exchange, Milliseconds idle) {
    Site& site = exchange.site();
    net::Stream &client = exchange.client_stream(), &upstream = exchange.lease.stream();
    Pipe up(client, upstream, site.buffers), down(upstream, client, site.buffers);
    up.preload(exchange.upload.leftover());
    down.preload(exchange.download.leftover());
    for (;;) {
        const PipeState upward = up.step(), downward = down.step();
        if (upward == PipeState::broken || downward == PipeState::broken) break;
        if (upward == PipeState::ended && downward == PipeState::ended) break;
        if (upward == PipeState::turn || downward == PipeState::turn) {
            co_await site.reactor.yield();
            continue;
        }
        std::uint8_t of_client = 0, of_upstream = 0;
        if (upward == PipeState::wants_bytes) of_client |= net::readable;
        if (upward == PipeState::wants_room) of_upstream |= net::writable;
        if (downward == PipeState::wants_bytes) of_upstream |= net::readable;
        if (downward == PipeState::wants_room) of_client |= net::writable;
        const net::Woke woke =
            co_await exchange.sleeper().wait(client.descriptor(), of_client, &upstream.descriptor(), of_upstream, idle);
        if (woke != net::Woke::ready) break;
    }
    exchange.body_bytes_sent = down.moved();
}

}  // namespace gateway::proxy
