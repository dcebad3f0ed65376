#include "libplugins/common/decompress.hpp"

#include <brotli/decode.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

#include "libgateway/base/strings.hpp"
#include "libplugins/common/arena_text.hpp"

namespace gateway::plugins {
namespace {

// How a decoder stopped.
enum class Stop : std::uint8_t { end, limit, early, broken };

std::size_t first_room(std::string_view body, std::size_t limit) noexcept {
    return std::max<std::size_t>(std::min(4 * body.size(), limit), 256);
}

Stop inflate_all(z_stream& stream, std::size_t limit, ArenaText& out) {
    while (true) {
        if (out.size() >= limit) return Stop::limit;
        if (out.room() == 0) out.grow();
        stream.next_out = reinterpret_cast<Bytef*>(out.end());
        stream.avail_out = static_cast<uInt>(std::min<std::size_t>(out.room(), 1u << 30));
        const uInt before = stream.avail_out;
        const int result = ::inflate(&stream, Z_NO_FLUSH);
        out.wrote(before - stream.avail_out);
        if (result == Z_STREAM_END && stream.avail_in == 0) return Stop::end;
        // Members may follow one another (RFC 1952, 2.2).
        if (result == Z_STREAM_END && ::inflateReset(&stream) == Z_OK) continue;
        if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0))
            return Stop::early;
        if (result != Z_OK) return Stop::broken;
    }
}

Stop gunzip(std::string_view body, std::size_t limit, ArenaText& out) {
    z_stream stream{};
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (::inflateInit2(&stream, gzip_only) != Z_OK) return Stop::broken;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(body.size(), 1u << 30));
    const Stop stop = inflate_all(stream, limit, out);
    ::inflateEnd(&stream);
    return stop;
}

Stop unbrotli(std::string_view body, std::size_t limit, ArenaText& out) {
    const std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state(
        BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance);
    if (!state) return Stop::broken;
    const auto* in = reinterpret_cast<const std::uint8_t*>(body.data());
    std::size_t left = body.size();
    while (true) {
        if (out.size() >= limit) return Stop::limit;
        if (out.room() == 0) out.grow();
        auto* to = reinterpret_cast<std::uint8_t*>(out.end());
        std::size_t room = out.room();
        const std::size_t before = room;
        const BrotliDecoderResult result = BrotliDecoderDecompressStream(state.get(), &left, &in, &room, &to, nullptr);
        out.wrote(before - room);
        if (result == BROTLI_DECODER_RESULT_SUCCESS) return left == 0 ? Stop::end : Stop::broken;
        if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return Stop::early;
        if (result == BROTLI_DECODER_RESULT_ERROR) return Stop::broken;
    }
}

}  // namespace

Coding coding_of(std::string_view content_encoding) noexcept {
    const std::string_view coding = trim(content_encoding);
    if (coding.empty() || iequals(coding, "identity")) return Coding::identity;
    if (iequals(coding, "gzip") || iequals(coding, "x-gzip")) return Coding::gzip;
    return iequals(coding, "br") ? Coding::brotli : Coding::other;
}

std::optional<std::string_view> decompress(Coding coding, std::string_view body, std::size_t limit, bool may_be_cut,
                                           Arena& arena) {
    if (coding == Coding::identity) return body.substr(0, limit);
    if (coding == Coding::other) return std::nullopt;
    if (body.empty()) return body;
    ArenaText out(arena, first_room(body, limit));
    const Stop stop = coding == Coding::gzip ? gunzip(body, limit, out) : unbrotli(body, limit, out);
    if (stop == Stop::broken || (stop == Stop::early && !may_be_cut)) return std::nullopt;
    return out.view().substr(0, limit);
}

}  // namespace gateway::plugins
