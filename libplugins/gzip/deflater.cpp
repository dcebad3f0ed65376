#include "libplugins/gzip/deflater.hpp"

#include <algorithm>

#include "libplugins/common/arena_text.hpp"

namespace gateway::plugins {

Deflater::Deflater(int level) noexcept {
    constexpr int with_gzip_head = 16 + MAX_WBITS, memory = 8;
    ready_ = ::deflateInit2(&stream_, level, Z_DEFLATED, with_gzip_head, memory, Z_DEFAULT_STRATEGY) == Z_OK;
}

Deflater::~Deflater() {
    if (ready_) ::deflateEnd(&stream_);
}

bool Deflater::reset() noexcept {
    return ::deflateReset(&stream_) == Z_OK;
}

bool Deflater::push(std::string_view bytes, Flush flush, Arena& arena, std::string_view& out) {
    constexpr std::size_t most_at_once = 1u << 30;
    ArenaText text(arena, std::max<std::size_t>(bytes.size() / 4, 512));
    for (bool more = true; more;) {
        const std::string_view part = bytes.substr(0, most_at_once);
        bytes.remove_prefix(part.size());
        more = !bytes.empty();
        const int mode = more || flush == Flush::none ? Z_NO_FLUSH : flush == Flush::sync ? Z_SYNC_FLUSH : Z_FINISH;
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
        stream_.avail_in = static_cast<uInt>(part.size());
        int result = Z_OK;
        do {
            if (text.room() == 0) text.grow();
            stream_.next_out = reinterpret_cast<Bytef*>(text.end());
            stream_.avail_out = static_cast<uInt>(std::min(text.room(), most_at_once));
            const uInt room = stream_.avail_out;
            result = ::deflate(&stream_, mode);
            text.wrote(room - stream_.avail_out);
            // Z_BUF_ERROR: nothing was left to do.
            if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
        } while (stream_.avail_out == 0 && result != Z_STREAM_END);
        if (mode == Z_FINISH && result != Z_STREAM_END) return false;
    }
    out = text.view();
    return true;
}

Deflater* DeflaterPool::take() {
    while (!idle_.empty()) {
        std::unique_ptr<Deflater> one = std::move(idle_.back());
        idle_.pop_back();
        if (one->reset()) return one.release();
    }
    auto made = std::make_unique<Deflater>(level_);
    return made->ready() ? made.release() : nullptr;
}

void DeflaterPool::give(Deflater* deflater) noexcept {
    std::unique_ptr<Deflater> one(deflater);
    if (idle_.capacity() == 0) idle_.reserve(most_idle);
    if (idle_.size() < most_idle) idle_.push_back(std::move(one));
}

}  // namespace gateway::plugins
