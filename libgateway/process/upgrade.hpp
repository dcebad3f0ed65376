// SIGUSR2: trying the new binary, and what one image of the master tells the next one in the same process.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/process/listening.hpp"
#include "libgateway/process/plan.hpp"
#include "libgateway/process/worker_table.hpp"

namespace gateway::process {

// Everything that outlives the re-execution. Fixed size; descriptors are numbers that stay open across exec, -1: none.
struct UpgradeState {
    static constexpr std::uint64_t magic_value = 0x3130455441545355;  // "USTATE01"
    struct Worker {
        std::int32_t pid = 0, channel = -1;
        std::uint64_t incarnation = 0;  // last one of the slot, also of an empty slot
        std::int64_t kill_at_ns = 0;
        std::uint8_t duty = 0, state = 0, reserved[6] = {};
    };
    std::uint64_t magic = magic_value;
    std::uint32_t size = sizeof(UpgradeState);
    std::int32_t master = 0;  // pid: another process must not take this over
    std::uint64_t master_started_ms = 0;
    Plan plan;
    std::int32_t lock = -1, segment = -1, journal = -1, control_socket = -1, status_listener = -1,
                 metrics_listener = -1, admin_listener = -1, inner_listener = -1;
    std::int32_t control_pid = 0, control_channel = -1;
    std::uint32_t next_listener_slot = 0, reserved = 0;
    std::array<Worker, max_workers> workers{};
    std::array<ListeningGroup::Saved, max_listeners> groups{};
};
static_assert(std::is_trivially_copyable_v<UpgradeState>);

// Writes it into a memfd that stays open across exec. Throws std::system_error.
UniqueFd save(const UpgradeState& state);
// Throws std::runtime_error naming what is wrong: other magic or size (another version), another process.
UpgradeState load(UniqueFd fd);
// Reads and removes the variable of the environment that names the descriptor; nothing at an ordinary start. Throws if
// wrong.
std::optional<UpgradeState> take_handed_over();
// All descriptors of the state are made to survive exec, or not to.
void keep_over_exec(const UpgradeState& state, bool keep) noexcept;

// For a program started with --check-upgrade: false if the gateway that asks would hand over a state we cannot read.
bool upgrade_format_agrees() noexcept;

// The program to execute, as an absolute path taken at start: a symbolic link to a newer binary is followed later on.
std::string program_path(const std::string& argument);

// Replaces this image. Returns only if that failed, with the reason.
std::string execute(const std::string& program, const std::vector<std::string>& arguments, int state_fd);

// A run of `PROGRAM … --check-upgrade`: good if it exits 0 within ten seconds.
class UpgradeCheck {
public:
    // Throws std::system_error. The child is one of the caller's, who reaps it.
    UpgradeCheck(const std::string& program, const std::vector<std::string>& arguments, std::int64_t now_ns);
    pid_t pid() const noexcept { return pid_; }
    std::int64_t deadline_ns() const noexcept { return deadline_ns_; }
    void collect();           // reads what it printed, so that it never waits for us
    void give_up() noexcept;  // kills it; `ended` follows
    // Empty: the binary is good. Else why not, with the last of what it printed.
    std::string ended(int status);

private:
    pid_t pid_ = -1;
    std::int64_t deadline_ns_;
    bool timed_out_ = false;
    std::string program_, output_;
    UniqueFd pipe_;
};

}  // namespace gateway::process
