#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "libgateway/config/errors.hpp"
#include "libgateway/config/upstream_object.hpp"
#include "libgateway/snapshot/object_reader.hpp"

namespace gateway {

namespace {

// At least one millisecond for anything above 0, so that a tiny limit is not "no limit"; at most some 24 days.
Milliseconds milliseconds(double seconds) {
    const double count = std::ceil(seconds * 1000.0 - 1e-6);
    return Milliseconds(static_cast<std::int64_t>(std::clamp(count, 0.0, 2'147'483'647.0)));
}

upstream::Timeouts timeouts_of(const config::Timeouts& given) {
    upstream::Timeouts timeouts;
    timeouts.connect = milliseconds(given.connect);
    timeouts.send = milliseconds(given.send);
    timeouts.read = milliseconds(given.read);
    return timeouts;
}

upstream::Scheme scheme_of(std::string_view name) {
    using upstream::Scheme;
    for (const Scheme scheme : {Scheme::http, Scheme::https, Scheme::grpc, Scheme::grpcs}) {
        if (name == upstream::name_of(scheme)) return scheme;
    }
    throw config::Error(fmt::format("scheme {} is not supported by this build", name));
}

upstream::PassHost pass_host_of(config::PassHost given) noexcept {
    switch (given) {
        case config::PassHost::node:
            return upstream::PassHost::node;
        case config::PassHost::rewrite:
            return upstream::PassHost::rewrite;
        case config::PassHost::pass:
            break;
    }
    return upstream::PassHost::pass;
}

void use(const config::Upstream& given, upstream::UpstreamSettings& settings) {
    settings.type = given.type;
    settings.scheme = scheme_of(given.scheme);
    settings.pass_host = pass_host_of(given.pass_host);
    settings.upstream_host = given.upstream_host.value_or("");
    if (given.retries) settings.retries = static_cast<int>(std::min<std::uint32_t>(*given.retries, 1 << 20));
    settings.retry_timeout = milliseconds(given.retry_timeout);
    if (given.timeout) settings.timeouts = timeouts_of(*given.timeout);
    if (given.keepalive_pool) {
        settings.pool.size = given.keepalive_pool->size;
        settings.pool.requests = given.keepalive_pool->requests;
        settings.pool.idle_timeout = milliseconds(given.keepalive_pool->idle_timeout);
    }
    if (!given.nodes) return;
    for (const config::UpstreamNode& node : given.nodes->list) {
        settings.nodes.push_back({node.host, node.port, node.weight, node.priority});
    }
}

}  // namespace

upstream::Timeouts read_timeouts(const json::Value& value) {
    config::Timeouts given;
    config::Errors errors;
    config::read(value, given, errors);
    errors.throw_if_any();
    return timeouts_of(given);
}

upstream::UpstreamSettings read_upstream_settings(std::string_view json, std::string name,
                                                  const UpstreamDefaults& defaults) {
    upstream::UpstreamSettings settings;
    settings.timeouts = defaults.timeouts;
    settings.pool = defaults.pool;
    settings.name = std::move(name);
    try {
        json::Limits limits;
        limits.positions = false;
        config::Upstream given;
        config::Errors errors;
        config::read(json::parse(json, limits), given, errors);
        errors.throw_if_any();
        use(given, settings);
    } catch (const std::exception& problem) {
        throw config::Error(fmt::format("{}: {}", settings.name, problem.what()));
    }
    return settings;
}

}  // namespace gateway
