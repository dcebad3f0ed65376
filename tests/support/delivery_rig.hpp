// A worker's loop and dispatch without a worker, for loggers and outboxes.
#pragma once

#include <chrono>
#include <vector>

#include "libgateway/delivery/dispatch.hpp"
#include "tests/support/eventually.hpp"

namespace gateway::test {

class DeliveryRig {
public:
    DeliveryRig() {
        reactor.set_longest_sleep(5);
        dispatch.client = &client;
    }
    ~DeliveryRig() {
        std::vector<Ref<upstream::Endpoint>> kept;
        for (const auto& [key, endpoint] : endpoints.all()) kept.emplace_back(endpoint);
        for (const auto& endpoint : kept) pool.close_idle(*endpoint);
    }
    // Turns the loop until `condition()` holds; false if `limit` passed without.
    template <class Condition>
    [[nodiscard]] bool until(Condition&& condition, milliseconds limit = milliseconds(5000)) {
        struct Left {};
        const auto end = std::chrono::steady_clock::now() + limit * patience;
        bool held = false;
        try {
            reactor.run([&](std::int64_t) {
                held = condition();
                if (held || std::chrono::steady_clock::now() >= end) throw Left();
            });
        } catch (const Left&) {
        }
        return held;
    }

    net::Reactor reactor;
    net::Resolver resolver{reactor, {}};
    net::BufferPool buffers;
    upstream::EndpointTable endpoints;
    upstream::Pool pool{reactor};
    client::Client client{reactor, resolver, buffers, endpoints, pool};
    delivery::Dispatch dispatch{reactor, resolver};
};

}  // namespace gateway::test
