// A plugin for end-to-end tests of back-pressure: it holds each piece of a response body for a while.
#pragma once

#include "libgateway/plugin/registry.hpp"

namespace gateway::plugins {

// Registered as `test-slow-body` only if the environment has GATEWAY_TEST_PLUGINS=1 when the program starts.
PluginType test_slow_body_type();
bool test_plugins_wanted() noexcept;

}  // namespace gateway::plugins
