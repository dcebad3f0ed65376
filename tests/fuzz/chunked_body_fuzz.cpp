// Chunked bodies: the same body and the same end whatever the pieces; what is decoded and written again decodes to the
// same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/http/chunked.hpp"

using gateway::http::ChunkDecoder;
using Event = ChunkDecoder::Event;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

struct Decoded {
    Event event = Event::need_more;
    std::string body;
    std::size_t consumed = 0;
};

Decoded decode(std::string_view bytes, std::size_t step) {
    ChunkDecoder decoder;
    Decoded decoded;
    while (decoded.consumed < bytes.size()) {
        const auto output = decoder.feed(bytes.substr(decoded.consumed, step));
        decoded.body += output.data;
        decoded.consumed += output.consumed;
        decoded.event = output.event;
        if (output.event == Event::end || output.event == Event::error) break;
        check(output.consumed > 0);
    }
    if (decoded.event == Event::data) decoded.event = Event::need_more;
    return decoded;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto copy = std::make_unique<char[]>(size);
    std::copy(data, data + size, copy.get());
    const std::string_view bytes(copy.get(), size);
    const Decoded whole = decode(bytes, size + 1);
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}}) {
        const Decoded pieces = decode(bytes, step);
        check(pieces.event == whole.event && pieces.body == whole.body && pieces.consumed == whole.consumed);
    }
    if (whole.event != Event::end) return 0;
    std::string again;
    if (!whole.body.empty()) {
        char line[20];
        again.append(line, gateway::http::write_chunk_size(whole.body.size(), line));
        again += whole.body + "\r\n";
    }
    again += gateway::http::last_chunk;
    const Decoded second = decode(again, again.size());
    check(second.event == Event::end && second.body == whole.body && second.consumed == again.size());
    return 0;
}
