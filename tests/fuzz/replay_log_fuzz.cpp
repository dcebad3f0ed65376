// Lines of an access log: any bytes are a request that can be matched, or a reason why not, and never a surprise.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libgateway/process/recorded_request.hpp"

namespace {

using namespace gateway;

void match(const process::LogLine& line, const http::PathOptions& options) {
    std::string why;
    const process::RecordedRequest request(line, options, {true, true, false}, why);
    if (!why.empty()) return;
    const route::MatchInput input = request.input();
    if (input.path.empty() || input.path.front() != '/') std::abort();
    for (const char* name : {"http_x", "cookie_a", "arg_b", "uri", "request_uri", "host", "content_type", "status"}) {
        expr::VariableValue value;
        const bool set = input.variables->read(expr::compile_variable(name), value);
        if (set != static_cast<bool>(value)) std::abort();
    }
    if (request.text().empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    // The first line is the format that the others were written by.
    const std::size_t end = bytes.find('\n');
    const process::LogNames names(bytes.substr(0, end));
    while (end != std::string_view::npos && !bytes.empty()) {
        bytes.remove_prefix(std::min(bytes.find('\n') + 1, bytes.size()));
        std::string why;
        const auto line = process::LogLine::parse(bytes.substr(0, bytes.find('\n')), names, why);
        if (line.has_value() != why.empty()) std::abort();
        if (line) match(*line, {false, false, (size & 1) != 0});
        if (bytes.find('\n') == std::string_view::npos) break;
    }
    return 0;
}
