#include "libgateway/plugin/registry.hpp"

#include <algorithm>

#include "libgateway/config/secret_reference.hpp"

namespace gateway {
namespace {

bool before(const PluginType& a, const PluginType& b) noexcept {
    return a.priority != b.priority ? a.priority > b.priority : a.name < b.name;
}

// Of IEEE 802.3, as the reference computes versions of entries; configuration time only.
std::uint32_t crc32(std::string_view bytes) noexcept {
    std::uint32_t sum = ~0u;
    for (const char byte : bytes) {
        sum ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0u);
    }
    return ~sum;
}

}  // namespace

const NodeScope& NodeScope::none() noexcept {
    static const NodeScope scope;
    return scope;
}

const json::Value* BuildScope::attribute(std::string_view plugin, std::string_view key) const noexcept {
    const json::Value* attributes = node.plugin_attr.find(plugin);
    return attributes ? attributes->find(key) : nullptr;
}

std::string BuildScope::counter_prefix() const {
    return "/apisix/" + std::string(where) + ":" + std::to_string(config ? crc32(json::write_sorted(*config)) : 0);
}

void PluginRegistry::add(const PluginType& type) {
    types_.insert(std::upper_bound(types_.begin(), types_.end(), type, before), type);
}

const PluginType* PluginRegistry::find(std::string_view name) const noexcept {
    for (const PluginType& type : types_) {
        if (type.name == name) return &type;
    }
    return nullptr;
}

std::string PluginRegistry::problem() const {
    for (std::size_t i = 0; i < types_.size(); ++i) {
        for (std::size_t j = i + 1; j < types_.size(); ++j) {
            const std::string pair = std::string(types_[i].name) + " and " + std::string(types_[j].name);
            if (types_[i].name == types_[j].name)
                return "plugin " + std::string(types_[i].name) + " is registered twice";
            if (types_[i].priority == types_[j].priority) {
                return "plugins " + pair + " have the same priority " + std::to_string(types_[i].priority);
            }
        }
    }
    return {};
}

bool is_auth_plugin(std::string_view name) noexcept {
    const PluginType* type = plugin_registry().find(name);
    return type && type->is_auth;
}

std::uint8_t next_auth_slot() noexcept {
    static std::uint8_t next = 0;
    return next++;
}

namespace {

// A reference that stands for nothing is no secret: an empty password would let everybody in.
void refuse_empty(const json::Value& written, const json::Value& resolved) {
    for (const json::Member& member : written.members()) {
        const json::Value* now = resolved.find(member.key);
        const bool was_reference = member.value.is_string() && config::is_secret_reference(member.value.string());
        if (was_reference && now && now->string().empty())
            throw config::Error("the secret reference of field " + member.key + " stands for an empty text");
    }
}

}  // namespace

json::Value read_credential(std::string_view json) {
    json::Limits limits;
    limits.positions = false;
    const json::Value written = json::parse(json, limits);
    json::Value value = written;
    config::resolve_secrets(value, [](std::string_view reference, std::string_view field, std::string_view why) {
        std::string text = "failed to resolve secret reference: ";
        text.append(reference).append(", field: ").append(field).append(", err: ").append(why);
        throw config::Error(text);
    });
    refuse_empty(written, value);
    return value;
}

PluginRegistry& plugin_registry() {
    static PluginRegistry registry;
    return registry;
}

}  // namespace gateway
