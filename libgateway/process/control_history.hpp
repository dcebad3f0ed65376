// The commands about what was applied and what is to be: history, diff, rollback, apply, confirm, import and export.
#pragma once

#include "libgateway/process/control_process.hpp"

namespace gateway::process {

// A reload reads no objects there, so that it would change none.
inline constexpr std::string_view no_route_file = "objects are in etcd: diff needs a FILE, or --rev N";

asio::awaitable<control::Answer> history_command(Control& control, const control::Request& request);
asio::awaitable<control::Answer> diff_command(Control& control, const control::Request& request);
// The part of diff that is for a replay.
asio::awaitable<control::Answer> replay_answer(Control& control, const control::Request& request);
asio::awaitable<control::Answer> rollback_command(Control& control, const control::Request& request);
// Makes the objects of the store what they were at that revision.
asio::awaitable<control::Answer> roll_back(Control& control, std::uint64_t number, store::Author author);
asio::awaitable<control::Answer> apply_command(Control& control, const control::Request& request);
asio::awaitable<control::Answer> import_command(Control& control, const control::Request& request);
asio::awaitable<control::Answer> export_command(Control& control, const control::Request& request);
asio::awaitable<control::Answer> confirm_command(Control& control, const control::Request& request);

asio::awaitable<control::Answer> keys_command(Control& control, const control::Request& request);

// What an attempt to change something came to, as every command that changes something answers.
control::Answer answer_of(const Control& control, const Control::Outcome& outcome);

}  // namespace gateway::process
