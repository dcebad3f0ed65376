// The stream of a watch of etcd: any bytes, in any slices, give the same messages or the same refusal.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "libgateway/base/lines.hpp"
#include "libgateway/etcd/messages.hpp"

namespace {

struct Read {
    std::vector<gateway::etcd::WatchMessage> messages;
    bool refused = false;
    friend bool operator==(const Read&, const Read&) = default;
};

Read read(std::string_view bytes, std::size_t slice) {
    gateway::Lines lines(200);
    Read out;
    for (std::size_t at = 0; at < bytes.size() && !out.refused; at += slice) {
        lines.feed(bytes.substr(at, slice));
        try {
            while (const auto line = lines.next()) {
                if (!line->empty()) out.messages.push_back(gateway::etcd::read_watch_message(*line));
            }
        } catch (const gateway::etcd::Failure&) {
            out.refused = true;
        }
        out.refused = out.refused || lines.overlong();
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Read whole = read(bytes, size + 1);
    if (!(read(bytes, 1) == whole) || !(read(bytes, 7) == whole)) std::abort();
    for (const auto& message : whole.messages) {
        for (const auto& event : message.events) {
            if (event.entry.key.empty() || event.entry.modified == 0) std::abort();
        }
    }
    (void)gateway::etcd::failure_of(400, bytes);
    return 0;
}
