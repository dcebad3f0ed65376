#include "tests/support/demo_upstream/websocket.hpp"

#include <openssl/evp.h>

#include <cstdint>

namespace gateway::demo {
namespace {

enum Opcode : unsigned { close_frame = 8, ping_frame = 9, pong_frame = 10 };

struct FrameHead {
    unsigned first = 0;
    std::uint64_t size = 0;
    std::size_t length = 0;  // of the head itself, mask included; 0: not whole yet
};

FrameHead read_head(std::string_view bytes) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    FrameHead head;
    if (bytes.size() < 2) return head;
    head.first = at(0);
    head.size = at(1) & 127U;
    const std::size_t extra = head.size == 126 ? 2 : head.size == 127 ? 8 : 0;
    if (bytes.size() < 2 + extra + 4) return head;
    if (extra > 0) head.size = 0;
    for (std::size_t i = 0; i < extra; ++i) head.size = head.size << 8 | at(2 + i);
    head.length = 2 + extra + 4;
    return head;
}

void append_frame(std::string& output, unsigned first, std::string_view payload) {
    output += static_cast<char>(first);
    if (payload.size() < 126) {
        output += static_cast<char>(payload.size());
    } else {
        const int width = payload.size() < 65536 ? 2 : 8;
        output += static_cast<char>(width == 2 ? 126 : 127);
        for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) {
            output += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> shift);
        }
    }
    output.append(payload);
}

}  // namespace

std::string websocket_accept(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
    unsigned char encoded[64];
    const int length = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
    return {reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length)};
}

bool echo_frames(std::string& input, std::string& output) {
    constexpr std::uint64_t largest = 64 << 20;
    std::size_t used = 0;
    bool open = true;
    while (open) {
        const std::string_view rest = std::string_view(input).substr(used);
        const FrameHead head = read_head(rest);
        if (head.size > largest) return false;
        if (head.length == 0 || rest.size() - head.length < head.size) break;
        if ((rest[1] & 0x80) == 0) return false;
        std::string payload(rest.substr(head.length, head.size));
        const char* mask = rest.data() + head.length - 4;
        for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
        used += head.length + head.size;
        const unsigned opcode = head.first & 15U;
        open = opcode != close_frame;
        if (opcode != pong_frame) append_frame(output, opcode == ping_frame ? 0x80 | pong_frame : head.first, payload);
    }
    input.erase(0, used);
    return open;
}

}  // namespace gateway::demo
