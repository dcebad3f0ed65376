#include "libgateway/config/debug_config.hpp"

#include <algorithm>
#include <filesystem>

#include "libgateway/config/yaml_reader.hpp"

namespace gateway::config {

namespace {

// `#END` and white space, within the last ten bytes.
bool has_end_marker(std::string_view text) noexcept {
    const std::string_view tail = text.substr(text.size() - std::min<std::size_t>(text.size(), 10));
    const std::size_t at = tail.rfind("#END");
    return at != tail.npos && tail.find_first_not_of(" \t\r\n\v\f", at + 4) == tail.npos;
}

// Files of the 2.x releases have nothing but hooks.
bool is_old_form(const json::Value& file) noexcept {
    return file.find("hook_conf") && !file.find("basic") && !file.find("http_filter");
}

void read_hooks(const json::Value& file, DebugConfig& config, Errors& errors) {
    config.hooks.clear();
    const json::Value* list = config.hook_conf.enable ? file.find(config.hook_conf.name) : nullptr;
    if (!list) return;
    const Errors::Scope scope(errors, Errors::Level::property, config.hook_conf.name, *list);
    Codec<Members<std::vector<std::string>>>::read(*list, config.hooks, {}, errors);
}

}  // namespace

DebugReading read_debug_config(std::string_view text, const std::string& path) {
    DebugReading reading;
    if (!has_end_marker(text)) {
        if (text.size() > 8) reading.warning = "missing valid end flag in file " + path;
        return reading;
    }
    json::ParseFailure why;
    auto file = try_read_yaml(text, why);
    if (!file || !file->is_object()) {
        reading.error = "failed to parse the content of file " + path;
        if (!file) reading.error += ": line " + std::to_string(why.where.line) + ": " + why.what;
        return reading;
    }
    if (is_old_form(*file)) {
        reading.warning = path + ": basic and http_filter are missing and count as switched off";
        file->set("basic", json::Value::object());
        file->set("http_filter", json::Value::object());
    }
    DebugConfig config;
    Errors errors;
    read(DebugConfig::schema, *file, config, errors);
    if (errors.empty()) read_hooks(*file, config, errors);
    if (errors.empty()) {
        reading.config = std::move(config);
    } else {
        reading.error = "failed to validate debug config " + std::string(errors.first());
    }
    return reading;
}

std::string debug_file_of(const std::string& static_file, const Environment& environment) {
    std::string profile = environment("GATEWAY_PROFILE").value_or("");
    if (profile.empty()) profile = environment("APISIX_PROFILE").value_or("");
    const std::string name = "debug" + (profile.empty() ? "" : "-" + profile) + ".yaml";
    return (std::filesystem::absolute(static_file).parent_path() / name).string();
}

std::string encode_debug(const DebugConfig& config) {
    return json::write(write(DebugConfig::schema, config));
}

DebugConfig decode_debug(std::string_view text) {
    DebugConfig config;
    Errors errors;
    read(DebugConfig::schema, json::parse(text), config, errors);
    errors.throw_if_any();
    return config;
}

}  // namespace gateway::config
