#include "libgateway/http/chunked.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "libgateway/base/strings.hpp"
#include "libgateway/http/token.hpp"

namespace gateway::http {

namespace {

constexpr std::uint32_t most_extension = 256;  // bytes behind one size; longer ones only serve attacks
constexpr std::size_t most_trailers = 8 * 1024;

bool is_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

}  // namespace

void ChunkDecoder::reset() noexcept {
    state_ = State::size;
    digits_ = 0;
    left_ = 0;
    extension_ = 0;
    line_.clear();
    trailer_bytes_ = 0;
    trailers_.clear();
}

ChunkDecoder::Output ChunkDecoder::feed(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (state_ == State::data) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
            left_ -= size;
            if (left_ == 0) state_ = State::data_cr;
            return {Event::data, at + size, bytes.substr(at, size)};
        }
        if (state_ == State::done) return {Event::end, at, {}};
        state_ = step(bytes[at]);
        ++at;
        if (state_ == State::bad) return {Event::error, at, {}};
    }
    if (state_ == State::done) return {Event::end, at, {}};
    return {state_ == State::bad ? Event::error : Event::need_more, at, {}};
}

ChunkDecoder::State ChunkDecoder::step(char c) {
    switch (state_) {
        case State::size:
            return in_size(c);
        case State::blank:
            return c == ' ' || c == '\t' ? count_extension() : c == ';' ? State::extension : State::bad;
        case State::extension:
            if (c == '\r') return State::size_lf;
            return is_control(c) ? State::bad : count_extension();
        case State::size_lf:
            return c == '\n' ? after_size() : State::bad;
        case State::data_cr:
            return c == '\r' ? State::data_lf : State::bad;
        case State::data_lf:
            return c == '\n' ? State::size : State::bad;
        case State::trailer:
            return in_trailer(c);
        case State::trailer_lf:
            return c == '\n' ? end_trailer() : State::bad;
        case State::data:
        case State::done:
        case State::bad:
            break;
    }
    return State::bad;
}

ChunkDecoder::State ChunkDecoder::in_size(char c) noexcept {
    if (const int value = hex_value(c); value >= 0) {
        if (++digits_ > 16) return State::bad;
        left_ = left_ * 16 + static_cast<unsigned>(value);
        return State::size;
    }
    if (digits_ == 0 || left_ > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return State::bad;
    if (c == '\r') return State::size_lf;
    if (c == ';') return State::extension;
    return c == ' ' || c == '\t' ? State::blank : State::bad;
}

ChunkDecoder::State ChunkDecoder::count_extension() noexcept {
    return ++extension_ > most_extension ? State::bad : state_;
}

ChunkDecoder::State ChunkDecoder::after_size() noexcept {
    digits_ = 0;
    extension_ = 0;
    return left_ > 0 ? State::data : State::trailer;
}

ChunkDecoder::State ChunkDecoder::in_trailer(char c) {
    if (++trailer_bytes_ > most_trailers) return State::bad;
    if (c == '\r') return State::trailer_lf;
    if (is_control(c)) return State::bad;
    line_.push_back(c);
    return State::trailer;
}

ChunkDecoder::State ChunkDecoder::end_trailer() {
    if (line_.empty()) return State::done;
    const std::string_view line = line_;
    const std::size_t colon = line.find(':');
    // A blank in front of the colon, or a folded line, is no token either.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return State::bad;
    trailers_.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    line_.clear();
    return State::trailer;
}

std::size_t write_chunk_size(std::uint64_t size, char* out) noexcept {
    constexpr std::string_view hex = "0123456789abcdef";
    char digits[16];
    std::size_t count = 0;
    do {
        digits[count++] = hex[size & 15];
        size >>= 4;
    } while (size != 0);
    for (std::size_t i = 0; i < count; ++i) out[i] = digits[count - 1 - i];
    out[count] = '\r';
    out[count + 1] = '\n';
    return count + 2;
}

}  // namespace gateway::http
