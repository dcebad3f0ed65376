// Replies of Redis: any bytes, in any slices, give the same replies or the same refusal.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "libgateway/redis/cluster.hpp"

namespace {

struct Read {
    std::vector<gateway::redis::Reply> replies;
    bool broken = false;
    friend bool operator==(const Read&, const Read&) = default;
};

Read read(std::string_view bytes, std::size_t slice) {
    using State = gateway::redis::ReplyReader::State;
    gateway::redis::ReplyReader reader;
    Read out;
    for (std::size_t at = 0; at < bytes.size() && !out.broken; at += slice) {
        reader.feed(bytes.substr(at, slice));
        for (;;) {
            gateway::redis::Reply reply;
            const State state = reader.next(reply);
            out.broken = state == State::broken;
            if (state != State::complete) break;
            out.replies.push_back(std::move(reply));
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Read whole = read(bytes, size + 1);
    if (!(read(bytes, 1) == whole) || !(read(bytes, 7) == whole)) std::abort();
    for (const auto& reply : whole.replies) (void)gateway::redis::redirection_of(reply.text);
    (void)gateway::redis::redirection_of(bytes);
    if (gateway::redis::slot_of(bytes) >= 16384) std::abort();
    return 0;
}
