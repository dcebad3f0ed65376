// How etcd is reached: members, login, certificates, time limits, the prefix of our keys.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "libgateway/config/etcd_settings.hpp"

namespace gateway::etcd {

using Member = config::EtcdMember;
using config::parse_member;

struct TlsOptions {
    std::string ca;         // file of certificates that are trusted; empty: those of the system
    std::string cert, key;  // files of our own certificate; empty: none
    std::string sni;        // name asked for and checked; empty: the host of the member
    bool verify = true;
    friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
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

Options options_of(const config::EtcdSettings& settings);

}  // namespace gateway::etcd
