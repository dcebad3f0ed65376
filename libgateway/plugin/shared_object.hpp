// What a shared object with plugins says of itself, so that only the gateway it was built for takes it.
//
//   GATEWAY_SHARED_PLUGINS(Greeting, Farewell);  // once per shared object, outside of all namespaces
#pragma once

#include "libgateway/plugin/build_id.hpp"  // made by the build: a digest of these headers
#include "libgateway/plugin/registry.hpp"

#define GATEWAY_TEXT_OF_(number) #number
#define GATEWAY_TEXT_OF(number) GATEWAY_TEXT_OF_(number)
#if defined(__clang__)
#define GATEWAY_COMPILER "clang" GATEWAY_TEXT_OF(__clang_major__)
#else
#define GATEWAY_COMPILER "gcc" GATEWAY_TEXT_OF(__GNUC__)
#endif

// The way in which shared objects are loaded and what is called of them.
#define GATEWAY_PLUGIN_ABI 1
#define GATEWAY_PLUGIN_BUILD GATEWAY_BUILD_ID "-" GATEWAY_COMPILER

namespace gateway {

struct SharedObject {
    // Found in the file before anything of it runs: "gateway-plugin abi=1 build=0.1.0-0123456789abcdef-gcc12;".
    char marker[96];
    void (*add)(PluginRegistry& registry);
};

template <class... Plugins>
void add_plugins(PluginRegistry& registry) {
    (registry.add(plugin_type<Plugins>()), ...);
}

}  // namespace gateway

#define GATEWAY_SHARED_PLUGINS(...)                                                                    \
    extern "C" {                                                                                       \
    __attribute__((visibility("default"))) extern const ::gateway::SharedObject gateway_shared_object; \
    const ::gateway::SharedObject gateway_shared_object = {                                            \
        "gateway-plugin abi=" GATEWAY_TEXT_OF(GATEWAY_PLUGIN_ABI) " build=" GATEWAY_PLUGIN_BUILD ";",  \
        ::gateway::add_plugins<__VA_ARGS__>};                                                          \
    }                                                                                                  \
    static_assert(true)
