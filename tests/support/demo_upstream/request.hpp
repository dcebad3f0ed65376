// One request as the demo upstream sees it, and the incremental reader that finds where it ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::demo {

// Views into the connection's buffer; valid until more is read.
struct Request {
    std::string_view method, target;
    std::vector<std::pair<std::string_view, std::string_view>> fields;
    std::string body;
    bool keep_alive = true;

    std::string_view path() const { return target.substr(0, target.find('?')); }
    std::string_view query() const;
    std::string_view field(std::string_view name) const;
};

enum class ReadState { incomplete, complete, broken };

// Reads one request from the front of `bytes`; `used` is how many bytes it took when complete. Called again from the
// start when more bytes are there. `wants_continue` is set once the head asks for a go-ahead before its body.
ReadState read_request(std::string_view bytes, Request& request, std::size_t& used, bool& wants_continue);

}  // namespace gateway::demo
