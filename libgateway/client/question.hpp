// A question as it goes over the wire.
#pragma once

#include <string_view>

#include "libgateway/client/client.hpp"

namespace gateway::client {

// The serialised head in a block; empty, and no block, if something in it could break it apart.
std::string_view write_question(const Url& url, const Request& request, bool keep_alive, net::BufferPool& buffers,
                                net::Buffer& into);

}  // namespace gateway::client
