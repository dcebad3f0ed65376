// Who still uses an object that is to be deleted.
#pragma once

#include <string>
#include <string_view>

#include "libgateway/admin/objects.hpp"

namespace gateway::admin {

// "can not delete this upstream, route [1] is still using it now"; empty if nobody uses it.
std::string still_used(config::Kind kind, std::string_view id, const Objects& objects);

}  // namespace gateway::admin
