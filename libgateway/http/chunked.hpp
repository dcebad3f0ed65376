// Chunked transfer coding (RFC 9112, 7.1), strict: CRLF only, hex sizes of at most 16 digits, bounded extensions and
// trailers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::http {

// Fed with whatever bytes arrived; hands out body bytes as views into what it was fed. One per body. Allocates only for
// trailers. Extensions are read and forgotten: they hold for one hop (RFC 9112, 7.1.1).
class ChunkDecoder {
public:
    enum class Event : std::uint8_t {
        data,       // `data` holds body bytes; feed the rest again
        need_more,  // everything consumed
        end,        // the last chunk and its trailers were read; `consumed` bytes belong to this body
        error,      // not a chunked body; the connection cannot be used any more
    };
    struct Output {
        Event event;
        std::size_t consumed;
        std::string_view data;
    };
    Output feed(std::string_view bytes);
    // Trailer fields as received, name and value; valid after `end`. At most 8 KiB together, else error.
    const std::vector<std::pair<std::string, std::string>>& trailers() const noexcept { return trailers_; }
    void reset() noexcept;

private:
    enum class State : std::uint8_t {
        size,
        blank,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer,
        trailer_lf,
        done,
        bad
    };
    State step(char c);
    State in_size(char c) noexcept;
    State count_extension() noexcept;
    State after_size() noexcept;
    State in_trailer(char c);
    State end_trailer();

    State state_ = State::size;
    std::uint8_t digits_ = 0;
    std::uint64_t left_ = 0;
    std::uint32_t extension_ = 0;
    std::string line_;  // of a trailer
    std::size_t trailer_bytes_ = 0;
    std::vector<std::pair<std::string, std::string>> trailers_;
};

// Writes the size line of a chunk ("1f4\r\n") into `out`, which has room for 20 characters; returns its length.
std::size_t write_chunk_size(std::uint64_t size, char* out) noexcept;
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace gateway::http
