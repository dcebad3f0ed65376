// The control socket's line cutting and request parsing: any bytes, in any slices, give the same lines and no surprise.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "libgateway/base/lines.hpp"
#include "libgateway/control/wire.hpp"

namespace {

std::vector<std::string> lines_of(std::string_view bytes, std::size_t slice) {
    gateway::Lines reader(256);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < bytes.size(); at += slice) {
        reader.feed(bytes.substr(at, slice));
        while (auto line = reader.next()) lines.emplace_back(*line);
    }
    return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = lines_of(bytes, size + 1);
    if (lines_of(bytes, 1) != whole) std::abort();
    for (const std::string& line : whole) {
        std::string why;
        const auto request = gateway::control::parse_request(line, why);
        if (request.has_value() != why.empty()) std::abort();
        if (!request) continue;
        const std::string again = gateway::control::write(*request);
        const auto second = gateway::control::parse_request({again.data(), again.size() - 1}, why);
        if (!second || second->command != request->command) std::abort();
        if (!gateway::json::equal(second->arguments, request->arguments)) std::abort();
    }
    return 0;
}
