#include "libgateway/process/plan.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "libgateway/base/log.hpp"

namespace gateway::process {

namespace {

constexpr std::uint32_t max_open_files = 1u << 30;
constexpr std::uint32_t max_shutdown_timeout_ms = 7u * 24 * 3600 * 1000;
constexpr std::uint64_t max_table_size = std::uint64_t{8} << 30;
constexpr std::uint64_t max_series_size = std::uint64_t{1} << 30;
// Control's own interfaces, by their names in the static file.
struct Interface {
    PlanAddress Plan::*address;
    std::string_view key;
};
constexpr std::array interfaces{
    Interface{&Plan::status, "apisix.status"}, Interface{&Plan::metrics, "prometheus.export_addr"},
    Interface{&Plan::admin, "deployment.admin.admin_listen"}, Interface{&Plan::inner, "apisix.control"}};
constexpr std::int64_t max_id = std::numeric_limits<std::uint32_t>::max() - 1;

template <std::size_t N>
bool has_end(const FixedText<N>& text) noexcept {
    return text.bytes.back() == '\0';
}
template <std::size_t N>
bool is_absolute(const FixedText<N>& text) noexcept {
    return has_end(text) && text.view().starts_with('/');
}

bool is_address(const sockaddr_storage& address, std::uint32_t size) noexcept {
    if (address.ss_family == AF_INET) return size == sizeof(sockaddr_in);
    if (address.ss_family == AF_INET6) return size == sizeof(sockaddr_in6);
    return false;
}

bool same_bytes(const sockaddr_storage& a, const sockaddr_storage& b) noexcept {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

std::string check_listeners(const Plan& plan) {
    for (std::uint32_t i = 0; i < plan.listener_count; ++i) {
        const ListenerPlan& listener = plan.listeners[i];
        const std::string where = "listener " + std::to_string(i + 1);
        if (!has_end(listener.name)) return where + ": name without end";
        if (!is_address(listener.address, listener.address_size)) return where + ": not an IPv4 or IPv6 address";
        for (std::uint32_t j = 0; j < i; ++j) {
            if (same_place(plan.listeners[j], listener)) {
                return where + ": " + address_text(listener.address) + " is listed twice";
            }
        }
    }
    return {};
}

std::string check_texts(const Plan& plan) {
    if (!is_absolute(plan.socket_path)) return "socket_path: expected an absolute path";
    if (!is_absolute(plan.data_dir)) return "data_dir: expected an absolute path";
    if (!has_end(plan.pid_file) || (!plan.pid_file.view().empty() && !is_absolute(plan.pid_file))) {
        return "pid_file: expected an absolute path or nothing";
    }
    if (!has_end(plan.plugins_dir) || (!plan.plugins_dir.view().empty() && !is_absolute(plan.plugins_dir))) {
        return "plugins_dir: expected an absolute path or nothing";
    }
    const std::array<const FixedText<512>*, 2> logs{&plan.access_log, &plan.error_log};
    for (const FixedText<512>* log : logs) {
        const std::string_view text = log->view();
        if (!has_end(*log) || !(text.empty() || text == "stdout" || text == "stderr" || is_absolute(*log))) {
            return "log: expected an absolute path, stdout, stderr or nothing";
        }
    }
    return {};
}

std::string check_numbers(const Plan& plan) {
    if (plan.worker_count < 1 || plan.worker_count > max_workers) {
        return "worker_processes: expected 1 to " + std::to_string(max_workers);
    }
    if (plan.listener_count > max_listeners) return "listeners: expected at most " + std::to_string(max_listeners);
    if (plan.open_files < 32 || plan.open_files > max_open_files) return "worker_rlimit_nofile: expected 32 to 2^30";
    if (plan.worker_connections < 1 || plan.worker_connections > plan.open_files) {
        return "worker_connections: expected 1 to worker_rlimit_nofile (" + std::to_string(plan.open_files) + ")";
    }
    if (plan.shutdown_timeout_ms > max_shutdown_timeout_ms) return "worker_shutdown_timeout: expected at most 7 days";
    if (plan.uid < -1 || plan.uid > max_id || plan.gid < -1 || plan.gid > max_id) return "user: not a user or group id";
    if (std::any_of(plan.table_sizes.begin(), plan.table_sizes.end(),
                    [](auto size) { return size > max_table_size; })) {
        return "lua_shared_dict: expected at most 8 GiB";
    }
    if (plan.series_size > max_series_size) return "lua_shared_dict.prometheus-metrics: expected at most 1 GiB";
    if (plan.error_log_level > static_cast<std::uint8_t>(LogLevel::emerg)) return "error_log_level: not a level";
    return {};
}

}  // namespace

std::string check(const Plan& plan) {
    if (plan.magic != Plan::magic_value || plan.version != Plan::version_value) return "plan: of another version";
    if (std::string wrong = check_numbers(plan); !wrong.empty()) return wrong;
    if (std::string wrong = check_listeners(plan); !wrong.empty()) return wrong;
    for (const Interface& one : interfaces) {
        const PlanAddress& where = plan.*one.address;
        if (where && !is_address(where.address, where.size))
            return std::string(one.key) + ": not an IPv4 or IPv6 address";
    }
    return check_texts(plan);
}

bool same_place(const ListenerPlan& a, const ListenerPlan& b) noexcept {
    if (!same_bytes(a.address, b.address) || a.ipv6_only != b.ipv6_only) return false;
    return port_of(a.address) != 0 || a.name == b.name;
}

std::string needs_restart(const Plan& before, const Plan& after) {
    struct Field {
        bool differs;
        std::string_view name;
    };
    const auto moved = [&](const Interface& one) {
        const PlanAddress &old = before.*one.address, &now = after.*one.address;
        return old.size != now.size || !same_bytes(old.address, now.address);
    };
    const std::array<Field, 10> fields{
        Field{before.uid != after.uid || before.gid != after.gid, "user"},
        Field{!(before.data_dir == after.data_dir), "data_dir"},
        Field{!(before.socket_path == after.socket_path), "socket"},
        Field{!(before.pid_file == after.pid_file), "pid_file"},
        Field{moved(interfaces[0]), interfaces[0].key},
        Field{moved(interfaces[1]), interfaces[1].key},
        Field{moved(interfaces[2]), interfaces[2].key},
        Field{moved(interfaces[3]), interfaces[3].key},
        Field{before.reuse_port != after.reuse_port, "enable_reuseport"},
        Field{before.table_sizes != after.table_sizes || before.series_size != after.series_size, "lua_shared_dict"},
    };
    std::string names;
    for (const Field& field : fields) {
        if (!field.differs) continue;
        if (!names.empty()) names += ", ";
        names += field.name;
    }
    return names;
}

void keep_until_restart(const Plan& before, Plan& plan) noexcept {
    plan.uid = before.uid;
    plan.gid = before.gid;
    plan.data_dir = before.data_dir;
    plan.socket_path = before.socket_path;
    plan.pid_file = before.pid_file;
    for (const Interface& one : interfaces) plan.*one.address = before.*one.address;
    plan.admin_required = before.admin_required;
    plan.table_sizes = before.table_sizes;
    plan.series_size = before.series_size;
    plan.reuse_port = before.reuse_port;
}

std::uint16_t port_of(const sockaddr_storage& address) noexcept {
    if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
    if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    return 0;
}

std::string address_text(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text.data(), text.size());
        return std::string(text.data()) + ":" + std::to_string(port_of(address));
    }
    if (address.ss_family == AF_INET6) {
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text.data(), text.size());
        return "[" + std::string(text.data()) + "]:" + std::to_string(port_of(address));
    }
    return "?";
}

}  // namespace gateway::process
