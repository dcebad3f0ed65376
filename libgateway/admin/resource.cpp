#include "libgateway/admin/resource.hpp"

#include <array>

namespace gateway::admin {

namespace {

using config::Kind;

constexpr std::uint8_t get = 1, put = 2, post = 4, patch = 8, del = 16;
constexpr std::uint8_t all = get | put | post | patch | del;

constexpr std::array table{
    Resource{"routes", "route", Kind::route, all},
    Resource{"services", "service", Kind::service, all},
    Resource{"upstreams", "upstream", Kind::upstream, all},
    Resource{"consumers", "consumer", Kind::consumer, get | put | del},
    Resource{"consumer_groups", "consumer group", Kind::consumer_group, get | put | patch | del},
    Resource{"plugin_configs", "plugin config", Kind::plugin_config, get | put | patch | del},
    Resource{"global_rules", "global rule", Kind::global_rule, get | put | patch | del},
    Resource{"plugin_metadata", "plugin_metadata", Kind::plugin_metadata, get | put | del},
    Resource{"ssls", "ssl", Kind::ssl, all},
    Resource{"protos", "proto", Kind::proto, get | put | post | del},
    Resource{"stream_routes", "stream route", Kind::stream_route, get | put | post | del},
    Resource{"secrets", "secret", Kind::secret, get | put | patch | del},
};
constexpr Resource credential{"credentials", "credential", Kind::consumer, get | put | del};

}  // namespace

std::optional<Method> parse_method(std::string_view text) noexcept {
    if (text == "GET") return Method::get;
    if (text == "PUT") return Method::put;
    if (text == "POST") return Method::post;
    if (text == "PATCH") return Method::patch;
    if (text == "DELETE") return Method::del;
    return std::nullopt;
}

const Resource* find_resource(std::string_view list) noexcept {
    for (const Resource& one : table) {
        if (one.list == list) return &one;
    }
    return nullptr;
}

const Resource& credentials() noexcept {
    return credential;
}

std::span<const Resource> resources() noexcept {
    return table;
}

std::string Place::stored_id(std::string_view short_id) const {
    if (resource != &credential) return std::string(short_id);
    return user + "/credentials/" + std::string(short_id);
}

std::string Place::key(std::string_view short_id) const {
    std::string key(store_prefix);
    key.append("/").append(resource == &credential ? "consumers/" + user + "/credentials"
                                                   : std::string(resource->list));
    if (!short_id.empty()) key.append("/").append(short_id);
    return key;
}

}  // namespace gateway::admin
