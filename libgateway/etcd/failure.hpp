// What goes wrong between this gateway and etcd, sorted by what can be done about it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gateway::etcd {

enum class Cause : std::uint8_t {
    unavailable,  // no member answered in time, or it said that it cannot serve now: ask again
    garbled,      // an answer that is not etcd's, or larger than the limits: the connection is worthless
    too_large,    // a page over the limit: ask for less at once
    login,        // the token is missing, unknown or outdated: log in again
    denied,       // user or password are wrong, or the user may not do this: only the operator can help
    compacted,    // the revision asked for is gone (or not there yet): read everything again
    idle,         // a watch said nothing for as long as it may
    refused,      // etcd understood and said no
    setup,        // certificates or keys that cannot be used
};

// Thrown by everything in this room that waits or reads.
struct Failure : std::runtime_error {
    Failure(Cause why, const std::string& what) : std::runtime_error(what), cause(why) {}
    Cause cause;
    bool sent = false;  // the request may have reached a member: whether it was carried out is not known
};

// The failure that an answer other than 200 stands for. The body is JSON of the gateway in front of etcd, or anything.
Failure failure_of(unsigned status, std::string_view body);
// The same for a gRPC status code and its text, as streams report them.
Failure failure_of_code(std::int64_t code, const std::string& text);

}  // namespace gateway::etcd
