// Paths: what is accepted has no empty, `.` or `..` segment left, starts at the root, and is its own normal form once
// escaped.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/http/path.hpp"

using namespace gateway;
using namespace gateway::http;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void check_segments(std::string_view uri) {
    check(!uri.empty() && uri.front() == '/');
    check(uri.find("//") == std::string_view::npos);
    check(uri.find('\0') == std::string_view::npos && uri.find('\\') == std::string_view::npos);
    const std::string closed = std::string(uri) + "/";
    check(closed.find("/./") == std::string::npos && closed.find("/../") == std::string::npos);
}

std::string escape(std::string_view path) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7f && c != '%') {
            text += c;
        } else {
            text += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    const auto copy = std::make_unique<char[]>(size);
    std::copy(data, data + size, copy.get());
    const std::string_view raw(copy.get(), size);
    Arena arena;
    const NormalisedPath plain = normalise(raw, {}, arena);
    check(plain.valid != !plain.reason.empty());
    if (plain.valid && raw != "*") {
        check_segments(plain.uri);
        check(plain.upstream == raw && plain.match == plain.uri);
        check(plain.uri.size() <= raw.size());
        const std::string escaped = escape(plain.uri);
        const NormalisedPath again = normalise(escaped, {}, arena);
        check(again.valid && again.uri == plain.uri);
    }
    for (unsigned bits = 1; bits < 8; ++bits) {
        const PathOptions options{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
        const NormalisedPath path = normalise(raw, options, arena);
        check(!path.valid || plain.valid);
        if (!path.valid || raw == "*") continue;
        check(path.uri.front() == '/' && path.match.front() == '/');
        if (!options.normalize_uri_like_servlet) check_segments(path.uri);
        check(path.upstream.find_first_of(std::string_view("\0\r\n ", 4)) == std::string_view::npos);
    }
    return 0;
}
