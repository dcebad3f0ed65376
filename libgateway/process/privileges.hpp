// What a process may do: user, capabilities, limits, descriptors; and who may use the files the master hands over.
#pragma once

#include <span>
#include <string>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/process/plan.hpp"

namespace gateway::process {

// Throws std::runtime_error: "cannot WHAT PATH (owner …, mode …): REASON".
[[noreturn]] void throw_path_error(const char* what, const std::string& path, int error);

// True if the plan names a user and this process can become it (it runs as root).
bool must_drop(const Plan& plan) noexcept;

// Makes a missing directory (and those above it) and gives it to the plan's user; an existing one must be usable by
// that user, or by this process if there is none. A root-owned directory that is empty or holds a `lock` of ours is
// given to the user.
void prepare_data_dir(const Plan& plan);
// Makes missing directories above `path` that belong to the plan's user; existing ones are left alone.
void prepare_parent(const std::string& path, const Plan& plan);
// Gives an open file to the plan's user; nothing if there is none to drop to.
void hand_over(int fd, const Plan& plan) noexcept;

// As many open files as `wanted`, or as many as the hard limit allows; false in that case. `pid` 0: this process.
bool raise_open_files(std::uint32_t wanted, pid_t pid = 0) noexcept;
// Whether raise_open_files would reach `wanted` in a process with the rights of this one.
bool may_open_files(std::uint32_t wanted) noexcept;

// For a child right after fork. Closes every descriptor that is neither in `keep` nor 0, 1, 2.
void close_all_but(std::span<const int> keep) noexcept;
// For a child before it runs its own code: ignores the signals that are the master's business, becomes the plan's user
// for good, gives up every capability, forbids new privileges, and ends with the master (`master` = its pid as the
// child saw it before the fork). Throws std::system_error if any of it fails; the process must end then.
void enter_child(const Plan& plan, bool drop, int master);
// Pins a process to one of the CPUs that the caller may use, by worker index; `pid` 0: the caller.
void pin_to_cpu(std::uint32_t index, pid_t pid = 0) noexcept;
// Lets a process use all CPUs that the caller may use.
void unpin(pid_t pid) noexcept;

}  // namespace gateway::process
