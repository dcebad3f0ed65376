// Plugins that exist in the tests of this room only.
#pragma once

#include <string>
#include <vector>

#include "libgateway/plugin/chain.hpp"

namespace gateway::test {

// Names, with their `text` setting, of the instances of a chain in their order: "mark-a=1 mark-b=2".
std::string plugins_of(const Chain& chain);
// Where credentials of the test auth plugin, mark-auth, are kept.
std::uint8_t mark_auth_slot() noexcept;
// How many instances of the test plugins were built so far.
int instances_built() noexcept;

}  // namespace gateway::test
