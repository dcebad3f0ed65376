// What stories of gateways with etcd share.
#pragma once

#include <boost/json/parse.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "libgateway/keyring/base64.hpp"
#include "tests/integration/store_story.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/etcd_server.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"

namespace gateway::test {

// Such stories are left out, and say so, where the program is not installed.
inline bool without_etcd() {
    if (EtcdServer::installed()) return false;
    WARN("left out: the package etcd-server is not installed");
    return true;
}

inline GatewayOptions with_etcd(const std::string& url, std::string further = {}) {
    GatewayOptions options;
    options.further =
        "deployment:\n  admin: {admin_listen: {port: 0}}\n  etcd:\n    host: [\"" + url + "\"]\n" + further;
    return options;
}

inline std::string base64(std::string_view text) {
    return keyring::encode_base64(text);
}
inline void put_in(const EtcdServer& etcd, std::string_view key, std::string_view value) {
    etcd.ask("kv/put", R"({"key":")" + base64(key) + R"(","value":")" + base64(value) + "\"}");
}
inline void delete_in(const EtcdServer& etcd, std::string_view key) {
    etcd.ask("kv/deleterange", R"({"key":")" + base64(key) + "\"}");
}
// One key as etcd has it: key, value, revisions, lease; null if there is none.
inline boost::json::value entry_in(const EtcdServer& etcd, std::string_view key) {
    const auto answer = boost::json::parse(etcd.ask("kv/range", R"({"key":")" + base64(key) + "\"}"));
    const auto* kvs = answer.as_object().if_contains("kvs");
    return kvs ? kvs->at(0) : boost::json::value();
}
// The value of one key; empty if there is none.
inline std::string value_in(const EtcdServer& etcd, std::string_view key) {
    const auto entry = entry_in(etcd, key);
    return entry.is_null() ? std::string() : *keyring::decode_base64(std::string(entry.at("value").as_string()));
}

inline std::string body(GatewayProcess& gateway, std::string_view target) {
    return fetch(gateway.port(), "GET", target).body;
}
inline int status_of(GatewayProcess& gateway, std::string_view target) {
    return fetch(gateway.port(), "GET", target).status();
}
inline std::string text_in(const GatewayProcess& gateway, std::string_view member) {
    const auto status = gateway.status();
    return status.is_null() ? "no status" : std::string(status.at(member).as_string());
}

using Clock = std::chrono::steady_clock;
inline milliseconds since(Clock::time_point then) {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - then);
}

}  // namespace gateway::test
