// The plan: all that the master needs to know, answered by control from the static file. Fixed size, checked field by
// field.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace gateway::process {

inline constexpr std::size_t max_listeners = 64, max_workers = 128;

// A bounded text inside a fixed-size message.
template <std::size_t N>
struct FixedText {
    std::array<char, N> bytes{};
    std::string_view view() const noexcept {
        const std::string_view all(bytes.data(), bytes.size());
        return all.substr(0, all.find('\0'));
    }
    // False if it does not fit; nothing is stored then.
    bool assign(std::string_view text) noexcept {
        if (text.size() >= N) return false;
        bytes = {};
        for (std::size_t i = 0; i < text.size(); ++i) bytes[i] = text[i];
        return true;
    }
    friend bool operator==(const FixedText& a, const FixedText& b) noexcept { return a.bytes == b.bytes; }
};

struct ListenerPlan {
    sockaddr_storage address{};  // port 0: bound once, the port then belongs to the whole group
    std::uint32_t address_size = 0;
    std::uint8_t proxy_protocol = 0;  // PROXY header required
    std::uint8_t ipv6_only = 1;
    std::uint8_t tls = 0;
    std::uint8_t reserved = 0;
    FixedText<32> name;
};

// Where one of control's own interfaces listens.
struct PlanAddress {
    sockaddr_storage address{};
    std::uint32_t size = 0;  // 0: off
    std::uint32_t reserved = 0;
    explicit operator bool() const noexcept { return size != 0; }
};

struct Plan {
    static constexpr std::uint32_t magic_value = 0x4E414C50, version_value = 8;
    std::uint32_t magic = magic_value, version = version_value;
    std::uint32_t worker_count = 1, listener_count = 0;
    std::array<ListenerPlan, max_listeners> listeners{};
    PlanAddress status, metrics, admin, inner;  // Status API, exporter, Admin API, Control API
    std::uint8_t admin_required = 0;            // the address was chosen by somebody: no start without it
    std::uint8_t reserved3[3] = {};
    std::uint32_t open_files = 20480;  // RLIMIT_NOFILE of workers
    std::uint32_t worker_connections = 10620;
    std::uint32_t shutdown_timeout_ms = 240'000;  // drain limit
    std::int64_t uid = -1, gid = -1;              // -1: stay
    std::uint8_t reuse_port = 1, cpu_affinity = 0, reserved[6] = {};
    std::array<std::uint64_t, 16> table_sizes{};  // bytes by shm::TableId; 0: default
    std::uint64_t series_size = 0;                // bytes for metrics with labels, per worker; 0: default
    FixedText<108> socket_path;                   // control socket, for gatewayctl
    FixedText<512> data_dir, pid_file;            // pid_file may be empty
    FixedText<512> plugins_dir;                   // shared objects of plugins; may be empty
    FixedText<512> access_log, error_log;         // file, or "stdout", "stderr", or "" for off
    std::uint8_t error_log_level = 3, access_log_enabled = 1, reserved2[10] = {};
};
static_assert(std::is_trivially_copyable_v<Plan>);
static_assert(std::has_unique_object_representations_v<Plan>);  // compared and sent as bytes

// Empty if the plan can be carried out; else what is wrong. The master trusts no plan that fails this.
std::string check(const Plan& plan);
// Fields that differ and take effect only after a restart, by their names in the static file, separated by ", "; empty:
// none. The master keeps their old values; control names them in the answer to a reload.
std::string needs_restart(const Plan& before, const Plan& after);
// Gives `plan` the old values of these fields.
void keep_until_restart(const Plan& before, Plan& plan) noexcept;
// The same address; of those with port 0 the names tell which is which. Settings may differ.
bool same_place(const ListenerPlan& a, const ListenerPlan& b) noexcept;
// "127.0.0.1:80", "[::1]:80"; "?" for another family.
std::string address_text(const sockaddr_storage& address);
// The port of an internet address, 0 for another family.
std::uint16_t port_of(const sockaddr_storage& address) noexcept;

}  // namespace gateway::process
