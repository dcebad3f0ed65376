#include "libgateway/process/control_plan.hpp"

#include <arpa/inet.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "libgateway/base/log.hpp"
#include "libgateway/base/unique_fd.hpp"
#include "libgateway/config/metrics_attr.hpp"
#include "libgateway/process/control_cpus.hpp"
#include "libgateway/shm/tables.hpp"

namespace gateway::process {

namespace {

struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <std::size_t N>
void set_text(FixedText<N>& to, std::string_view text, const char* key) {
    if (!to.assign(text)) throw Refusal(fmt::format("{}: longer than {} bytes", key, N - 1));
}

std::uint32_t set_address(sockaddr_storage& to, const std::string& ip, std::uint16_t port) {
    to = {};
    auto& v4 = reinterpret_cast<sockaddr_in&>(to);
    if (::inet_pton(AF_INET, ip.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        return sizeof v4;
    }
    auto& v6 = reinterpret_cast<sockaddr_in6&>(to);
    const bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
    const std::string bare = bracketed ? ip.substr(1, ip.size() - 2) : ip;
    if (::inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) != 1)
        throw Refusal(fmt::format("expected an IP address, found \"{}\"", ip));
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return sizeof v6;
}

// Machines and containers without IPv6 are common; "all addresses" means those that exist.
bool ipv6_exists() {
    const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    return socket && ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
}

class Listening {
public:
    Listening(Plan& plan, bool ipv6) : plan_(plan), ipv6_(ipv6) {}
    enum class Talk : std::uint8_t { plain, proxied, tls };
    void add(const std::string& ip, std::uint16_t port, const std::string& name, Talk talk) {
        if (!ip.empty()) return add_one(ip, port, name, talk);
        add_one("0.0.0.0", port, name, talk);
        if (ipv6_) add_one("::", port, name, talk);
    }

private:
    void add_one(const std::string& ip, std::uint16_t port, std::string name, Talk talk) {
        if (plan_.listener_count == max_listeners)
            throw Refusal(fmt::format("apisix.node_listen: more than {} addresses", max_listeners));
        // A port that the kernel chooses is found again at a reload by the listener's name.
        if (port == 0 && name.empty())
            name = fmt::format("any-{}{}", talk == Talk::tls ? "tls-" : "", ++unnamed_[talk == Talk::tls]);
        ListenerPlan& listener = plan_.listeners[plan_.listener_count++];
        listener.address_size = set_address(listener.address, ip, port);
        listener.proxy_protocol = talk == Talk::proxied;
        listener.tls = talk == Talk::tls;
        set_text(listener.name, name, "apisix.node_listen.name");
    }
    Plan& plan_;
    bool ipv6_;
    int unnamed_[2] = {};  // plain, TLS: another one of a kind changes no name of the other
};

void set_listeners(const config::ApisixSection& apisix, Plan& plan) {
    Listening listening(plan, apisix.enable_ipv6 && ipv6_exists());
    using Talk = Listening::Talk;
    for (const config::Listener& one : apisix.node_listen.list) listening.add(one.ip, one.port, one.name, Talk::plain);
    if (const auto port = apisix.proxy_protocol.listen_http_port) listening.add("", *port, "", Talk::proxied);
    for (const config::TlsListener& one : apisix.ssl.listeners()) listening.add(one.ip, one.port, one.name, Talk::tls);
    if (apisix.status) plan.status.size = set_address(plan.status.address, apisix.status->ip, apisix.status->port);
}

void set_apis(const config::StaticConfig& config, Plan& plan) {
    const config::AdminSettings& admin = config.deployment.admin;
    const config::AdminListen listen = admin.admin_listen.value_or(config::AdminListen());
    if (config.admin_api()) plan.admin.size = set_address(plan.admin.address, listen.ip, listen.port);
    const config::ApisixSection& apisix = config.apisix;
    if (apisix.enable_control)
        plan.inner.size = set_address(plan.inner.address, apisix.control.ip, apisix.control.port);
    plan.admin_required = admin.admin_listen.has_value() || apisix.compat.admin_on_node_listen;
}

// Without the plugin nobody asks for metrics.
void set_metrics(const config::StaticConfig& config, Plan& plan) {
    config::Errors errors;
    const config::MetricsAttr attr = config::read_metrics_attr(config.plugin_attr.value, errors);
    if (!errors.empty()) throw Refusal(fmt::format("plugin_attr: {}", errors.first()));
    const bool loaded = !config.plugins || std::count(config.plugins->begin(), config.plugins->end(), "prometheus") > 0;
    if (!loaded || !attr.enable_export_server) return;
    plan.metrics.size = set_address(plan.metrics.address, attr.export_addr.ip, attr.export_addr.port);
}

void set_processes(const config::StaticConfig& config, Plan& plan) {
    const config::NginxSection& nginx = config.nginx_config;
    const std::uint32_t wanted = nginx.worker_processes.count != 0 ? nginx.worker_processes.count : usable_cpus();
    if (nginx.worker_processes.count > max_workers)
        throw Refusal(fmt::format("nginx_config.worker_processes: expected at most {}, found {}", max_workers, wanted));
    plan.worker_count = config.apisix.enable_dev_mode ? 1 : std::min<std::uint32_t>(wanted, max_workers);
    plan.reuse_port = config.apisix.enable_reuseport && !config.apisix.enable_dev_mode;
    plan.cpu_affinity = nginx.enable_cpu_affinity;
    plan.open_files = nginx.worker_rlimit_nofile;
    plan.worker_connections = nginx.event.worker_connections;
    plan.shutdown_timeout_ms = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(nginx.worker_shutdown_timeout.value.count(), 0, 7 * 86'400'000));
}

// Names of zones that the gateway does not have are ignored: the reference has more of them.
void set_tables(const config::HttpSection& http, Plan& plan) {
    for (const auto& [name, size] : http.lua_shared_dict) {
        if (name == "prometheus-metrics") plan.series_size = std::max(size.bytes, shm::least_table_size);
        for (std::size_t id = 0; id < shm::table_zones.size(); ++id) {
            if (shm::table_zones[id].name == name) plan.table_sizes[id] = std::max(size.bytes, shm::least_table_size);
        }
    }
}

void set_user(const std::string& user, Plan& plan) {
    if (user.empty()) return;
    const passwd* entry = ::getpwnam(user.c_str());
    if (!entry) throw Refusal(fmt::format("nginx_config.user: there is no user \"{}\" on this machine", user));
    plan.uid = entry->pw_uid;
    plan.gid = entry->pw_gid;
}

void set_files(const config::StaticConfig& config, Plan& plan) {
    const config::HttpSection& http = config.nginx_config.http;
    set_text(plan.socket_path, config.gateway.socket, "gateway.socket");
    set_text(plan.data_dir, config.gateway.data_dir, "gateway.data_dir");
    set_text(plan.pid_file, config.gateway.pid_file, "gateway.pid_file");
    set_text(plan.plugins_dir, config.gateway.plugins_dir, "gateway.plugins_dir");
    plan.access_log_enabled = http.enable_access_log;
    set_text(plan.access_log, http.enable_access_log ? std::string_view(http.access_log) : std::string_view(),
             "nginx_config.http.access_log");
    set_text(plan.error_log, config.nginx_config.error_log, "nginx_config.error_log");
    LogLevel level = LogLevel::warn;
    if (!parse_log_level(config.nginx_config.error_log_level, level))
        throw Refusal("nginx_config.error_log_level: unknown level");
    plan.error_log_level = static_cast<std::uint8_t>(level);
}

}  // namespace

std::string make_plan(const config::StaticConfig& config, Plan& plan) try {
    plan = {};
    set_listeners(config.apisix, plan);
    set_metrics(config, plan);
    set_apis(config, plan);
    set_processes(config, plan);
    set_user(config.nginx_config.user, plan);
    set_tables(config.nginx_config.http, plan);
    set_files(config, plan);
    return check(plan);
} catch (const Refusal& refusal) {
    return refusal.what();
}

bool same_plan(const Plan& a, const Plan& b) noexcept {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

}  // namespace gateway::process
