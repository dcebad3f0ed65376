// The order of router.md 4 and 5 as one loop: used by the live search, by explain and by nearest.
#pragma once

#include "libgateway/route/router.hpp"

namespace gateway::route {

// One complete search of router.md 4; `accept` is asked for each candidate.
template <class Accept>
const Entry* search_paths(const PathIndex& paths, std::string_view path, std::string_view host,
                          std::string_view raw_host, Accept& accept) {
    const Entry* taken = nullptr;
    paths.visit(ForwardKey(path), [&](const EntryGroup& group) {
        taken = group.find(host, raw_host, accept);
        return taken != nullptr;
    });
    return taken;
}

template <class Accept>
const Entry* search_all(const Router& router, const MatchInput& input, Accept accept) {
    if (router.kind() != RouterKind::host_uri) {
        return search_paths(router.paths(), input.path, input.host, input.raw_host, accept);
    }
    const Entry* taken = nullptr;
    router.hosts().visit(input.host, input.raw_host, [&](const PathIndex& index) {
        taken = search_paths(index, input.path, {}, {}, accept);
        return taken != nullptr;
    });
    return taken ? taken : search_paths(router.paths(), input.path, {}, {}, accept);
}

}  // namespace gateway::route
