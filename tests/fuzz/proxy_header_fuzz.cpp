// PROXY protocol headers: no crash, and the same answer in pieces as in whole.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "libgateway/http/proxy_protocol.hpp"

using namespace gateway::http;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto copy = std::make_unique<char[]>(size);
    std::copy(data, data + size, copy.get());
    const std::string_view bytes(copy.get(), size);
    ProxyHeader whole, pieces;
    const auto result = parse_proxy_header(bytes, whole);
    ProxyHeaderResult step;
    for (std::size_t end = 0; end <= size; ++end) {
        step = parse_proxy_header(bytes.substr(0, end), pieces);
        if (step.state != ProxyHeaderState::need_more) break;
    }
    check(step.state == result.state && step.consumed == result.consumed);
    check(result.consumed <= size);
    if (result.state == ProxyHeaderState::complete)
        check(whole.source == pieces.source && whole.source_port == pieces.source_port);
    return 0;
}
