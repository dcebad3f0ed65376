// What stories of limits share: a stage with plugins, and many requests at once.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "tests/integration/http_story.hpp"

namespace gateway::test {

// `list` is the inside of the route's `plugins`.
inline StageOptions plugins(const std::string& list, int workers = 1) {
    StageOptions options;
    options.route_lines = "plugins: {" + list + "}";
    options.workers = workers;
    return options;
}

struct Tally {
    std::atomic<int> passed{0}, refused{0}, other{0};
    void count(int status) { ++(status == 200 ? passed : status == 503 ? refused : other); }
};
// So many requests over so many connections at once; how many were answered 200 and 503.
inline void ask_in_parallel(std::uint16_t port, int connections, int each, Tally& tally) {
    std::vector<std::thread> threads;
    for (int i = 0; i < connections; ++i) {
        threads.emplace_back([&] {
            RawClient client(port);
            for (int j = 0; j < each; ++j) tally.count(client.get("/").status());
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace gateway::test
