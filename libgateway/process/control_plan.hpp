// From the static file to the plan, the only thing about it that the master learns.
#pragma once

#include <string>

#include "libgateway/config/static_config.hpp"
#include "libgateway/process/plan.hpp"

namespace gateway::process {

// Empty, or why there is no plan ("nginx_config.user: …"). Looks at the machine: CPUs, users, whether IPv6 exists.
std::string make_plan(const config::StaticConfig& config, Plan& plan);
bool same_plan(const Plan& a, const Plan& b) noexcept;
// What stays as it was although a new plan was carried out (needs_restart names it).
void keep_until_restart(const Plan& before, Plan& plan) noexcept;

}  // namespace gateway::process
