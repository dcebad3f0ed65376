// How etcd is reached: members, login, certificates, time limits, the prefix of our keys.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::etcd {

// One member of the cluster by its client URL.
struct Member {
    bool secure = false;
    std::string host;  // name or address, IPv6 without brackets
    std::string port;
    // "http://127.0.0.1:2379"
    std::string text() const;
};
// `http://host[:port]` or https, an empty path; nothing if it is anything else. The port is 2379 if none is given.
std::optional<Member> parse_member(std::string_view url);

struct TlsOptions {
    std::string ca;         // file of certificates that are trusted; empty: those of the system
    std::string cert, key;  // files of our own certificate; empty: none
    std::string sni;        // name asked for and checked; empty: the host of the member
    bool verify = true;
};

struct Options {
    std::vector<Member> members;  // at least one
    std::string prefix = "/apisix";
    std::string user, password;  // an empty user: no login
    TlsOptions tls;
    std::chrono::milliseconds timeout{30'000};        // one call, all members tried within it
    std::chrono::milliseconds watch_timeout{50'000};  // silence after which a watch is made anew
    std::chrono::milliseconds resync_delay{5'000};    // before asking again what etcd refused, up to half of it more
    std::chrono::milliseconds left_out{10'000};       // how long a member that failed is asked last
    std::size_t page = 1'000;                         // keys of one page of a full read
    std::size_t answer_limit = 64 << 20;              // bytes of one answer
    std::size_t line_limit = 32 << 20;                // bytes of one message of a watch
};

}  // namespace gateway::etcd
