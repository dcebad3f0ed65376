// debug.yaml: what the gateway tells about requests while somebody looks for a fault.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/environment.hpp"
#include "libgateway/config/schema.hpp"

namespace gateway::config {

struct DebugBasic {
    std::optional<bool> enable;  // absent: apisix.enable_debug of the static file
    std::string header_name = "Apisix-Plugins", header_format = "phases";
    static constexpr auto schema = fields(
        field("enable", &DebugBasic::enable, "every answer names the plugins that ran"),
        field("header_name", &DebugBasic::header_name, "the field that does", length(1, 64),
              pattern(R"(^[A-Za-z0-9_-]+$)",
                      [](std::string_view text) {
                          for (const char c : text) {
                              const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                              if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_') return false;
                          }
                          return true;
                      })),
        field("header_format", &DebugBasic::header_format, "`name#phase`, or names alone", one_of("phases", "names")));
};

struct DebugFilter {
    bool enable = false;
    std::string enable_header_name = "X-APISIX-Dynamic-Debug";
    static constexpr auto schema =
        fields(field("enable", &DebugFilter::enable, "hooks print only for requests with that field"),
               field("enable_header_name", &DebugFilter::enable_header_name, "its name", length(1, 64)));
};

struct DebugHookConf {
    bool enable = false, is_print_input_args = true, is_print_return_value = true;
    std::string name = "hook_phase", log_level = "warn";
    static constexpr auto schema =
        fields(field("enable", &DebugHookConf::enable, "hooks print"),
               field("name", &DebugHookConf::name, "key of this file that lists the hooks", length(1)),
               field("log_level", &DebugHookConf::log_level, "level of their lines",
                     one_of("debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")),
               field("is_print_input_args", &DebugHookConf::is_print_input_args, "print what comes in"),
               field("is_print_return_value", &DebugHookConf::is_print_return_value, "print what comes out"));
};

struct DebugConfig {
    DebugBasic basic;
    DebugFilter http_filter;
    DebugHookConf hook_conf;
    Members<std::vector<std::string>> hooks;  // functions by module, as listed under hook_conf.name
    static constexpr auto schema =
        fields(field("basic", &DebugConfig::basic, "the debug header", required),
               field("http_filter", &DebugConfig::http_filter, "which requests hooks print for", required),
               field("hook_conf", &DebugConfig::hook_conf, "what hooks print", required),
               field("hooks", &DebugConfig::hooks, "listed functions; read from the key that hook_conf.name tells"));
};

// What one reading of the file came to. Without a config the one before stays in force.
struct DebugReading {
    std::optional<DebugConfig> config;
    std::string error, warning;  // to be logged; both may be empty
};
// The texts are those of debug-mode.md 1 of the specification. A file of at most eight bytes is passed over in silence.
DebugReading read_debug_config(std::string_view text, const std::string& path);

// debug.yaml, or debug-<profile>.yaml, beside the static file.
std::string debug_file_of(const std::string& static_file, const Environment& environment);

// As workers receive it. decode throws Error.
std::string encode_debug(const DebugConfig& config);
DebugConfig decode_debug(std::string_view text);

}  // namespace gateway::config
