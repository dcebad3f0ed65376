// `deployment.etcd` of the static file: where the store of many machines is and how it is asked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/schema.hpp"
#include "libgateway/config/static_types.hpp"

namespace gateway::config {

// One member of the cluster by its client URL.
struct EtcdMember {
    bool secure = false;
    std::string host;  // name or address, IPv6 without brackets
    std::string port;
    // "http://127.0.0.1:2379"
    std::string text() const;
};
// `http://host[:port]` or https, without a path; nothing if it is anything else. The port is 2379 if none is given.
std::optional<EtcdMember> parse_member(std::string_view url);
bool is_member_url(std::string_view url);
bool is_key_prefix(std::string_view text) noexcept;  // begins with a slash, does not end with one

// One URL or several.
struct MemberUrls {
    std::vector<std::string> list{"http://127.0.0.1:2379"};
};
// It stays in control: what is written for workers says only that there is one.
struct Password {
    std::string text;
    bool withheld = false;  // read from what was written for workers
};

template <>
struct Codec<MemberUrls> {
    static void read(const json::Value& value, MemberUrls& out, const Rules& rules, Errors& errors);
    static json::Value write(const MemberUrls& urls) { return Codec<std::vector<std::string>>::write(urls.list); }
    static json::Value describe(const Rules&) {
        return json::Value::object({{"type", "array of string, or string"}, {"minItems", 1}});
    }
};
template <>
struct Codec<Password> {
    static void read(const json::Value& value, Password& out, const Rules& rules, Errors& errors);
    static json::Value write(const Password& password) {
        return password.withheld || !password.text.empty() ? json::Value(true) : json::Value();
    }
    static json::Value describe(const Rules&) { return json::Value::object({{"type", "string"}}); }
};

struct EtcdTlsSettings {
    std::string ca, cert, key, sni;
    bool verify = true;
    static constexpr auto schema =
        fields(field("ca", &EtcdTlsSettings::ca, "file of authorities; default: those of the system", length(0, 511)),
               field("cert", &EtcdTlsSettings::cert, "file of our certificate", length(0, 511)),
               field("key", &EtcdTlsSettings::key, "file of its key", length(0, 511)),
               field("verify", &EtcdTlsSettings::verify, "check the certificate of etcd and its name"),
               field("sni", &EtcdTlsSettings::sni, "name that is asked for and checked; default: that of the URL",
                     length(0, 255)))
            .closed();
    static void check(const EtcdTlsSettings& tls, Errors& errors);
};

struct EtcdSettings {
    MemberUrls host;
    std::string prefix = "/apisix", user;
    Password password;
    Duration timeout{std::chrono::seconds(30)}, watch_timeout{std::chrono::seconds(50)};
    Duration resync_delay{std::chrono::seconds(5)}, health_check_timeout{std::chrono::seconds(10)};
    std::uint32_t startup_retry = 2;
    EtcdTlsSettings tls;
    std::optional<std::string> snapshot_file;
    static constexpr auto schema =
        fields(field("host", &EtcdSettings::host, "client URLs of the members of one cluster"),
               field("prefix", &EtcdSettings::prefix, "of all keys", length(2, 255),
                     pattern("begins with a slash, ends with none", is_key_prefix)),
               field("user", &EtcdSettings::user, "empty: no login", length(0, 255)),
               field("password", &EtcdSettings::password, "kept in the control process"),
               field("timeout", &EtcdSettings::timeout, "one call, all members tried within it"),
               field("watch_timeout", &EtcdSettings::watch_timeout, "silence after which the watch is made anew"),
               field("resync_delay", &EtcdSettings::resync_delay,
                     "before asking again what etcd refused, and up to half of it more"),
               field("health_check_timeout", &EtcdSettings::health_check_timeout,
                     "a member that failed is asked last for so long"),
               field("startup_retry", &EtcdSettings::startup_retry,
                     "failures at the start after which the last good revision serves", range(0, 100)),
               field("tls", &EtcdSettings::tls, "for https"),
               field("snapshot_file", &EtcdSettings::snapshot_file,
                     "empty: no last good revision at the start; any other text has no effect"))
            .closed();
    static void check(const EtcdSettings& etcd, Errors& errors);
};

}  // namespace gateway::config
