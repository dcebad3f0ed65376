#include "libgateway/plugin/public_apis.hpp"

#include <deque>

namespace gateway {
namespace {

std::deque<PublicApi>& all() {
    static std::deque<PublicApi> list;
    return list;
}

}  // namespace

PublicApiRegistration::PublicApiRegistration(const PublicApi& api) {
    all().push_back(api);
}

PublicApis::PublicApis(const json::Value& plugin_attr) {
    for (const PublicApi& api : all()) {
        std::string path = api.path(plugin_attr);
        if (!path.empty()) offers_.push_back({std::move(path), &api});
    }
}

const PublicApi* PublicApis::find(std::string_view path, http::Verb method) const noexcept {
    for (const Offer& offer : offers_) {
        if (offer.api->method == method && offer.path == path) return offer.api;
    }
    return nullptr;
}

}  // namespace gateway
