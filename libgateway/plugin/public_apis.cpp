#include "libgateway/plugin/public_apis.hpp"

namespace gateway {
namespace {

std::vector<PublicApi>& all() {
    static std::vector<PublicApi> list;
    return list;
}

}  // namespace

void PublicApis::add(const PublicApi& api) {
    all().push_back(api);
}

const PublicApi* PublicApis::find(std::string_view path, http::Verb method) noexcept {
    for (const PublicApi& api : all()) {
        if (api.method == method && api.path == path) return &api;
    }
    return nullptr;
}

}  // namespace gateway
