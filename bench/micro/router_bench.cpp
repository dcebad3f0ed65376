// What a match, a change and a route cost: 1, 1,000 and 100,000 routes, on distinct paths and as hosts of one path.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "libgateway/route/router.hpp"

using namespace gateway;
using Clock = std::chrono::steady_clock;

namespace {

double milliseconds(Clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

struct Shape {
    const char* name;
    route::RouterKind kind;
    bool by_host;
};

std::string path_of(const Shape& shape, std::size_t i) {
    return shape.by_host ? "/orders/" + std::to_string(i % 97) : "/api/v1/tenant-" + std::to_string(i) + "/orders";
}
std::string host_of(const Shape& shape, std::size_t i) {
    return shape.by_host ? "tenant-" + std::to_string(i) + ".example.com" : "api.example.com";
}

std::vector<Ref<const route::RouteRule>> make_rules(const Shape& shape, std::size_t count) {
    std::vector<Ref<const route::RouteRule>> rules;
    rules.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        auto rule = make_ref<route::RouteRule>();
        rule->id = std::to_string(i);
        rule->order = i;
        rule->uris = {shape.by_host ? std::string("/*") : path_of(shape, i)};
        if (shape.by_host) rule->hosts = {host_of(shape, i)};
        rules.push_back(rule);
    }
    return rules;
}

struct Requests {
    Requests(const Shape& shape, std::size_t routes, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = i * 7919 % routes;
            paths.push_back(path_of(shape, at));
            hosts.push_back(host_of(shape, at));
        }
        for (std::size_t i = 0; i < count; ++i) {
            route::MatchInput input;
            input.path = paths[i];
            input.host = input.raw_host = hosts[i];
            input.method = route::method_bit(http::Verb::get);
            inputs.push_back(input);
        }
    }
    std::vector<std::string> paths, hosts;
    std::vector<route::MatchInput> inputs;
};

// Matches all requests, over and over, `matches` times at least; says how many it did.
std::size_t match_all(const route::Router& router, const Requests& requests, std::size_t matches) {
    std::size_t done = 0, found = 0;
    for (; done < matches; done += requests.inputs.size()) {
        for (const auto& input : requests.inputs) found += router.find(input) ? 1 : 0;
    }
    if (found != done) std::printf("  WRONG: %zu of %zu found", found, done);
    return done;
}

void measure_matches(const route::Router& router, const Requests& requests) {
    match_all(router, requests, 1);
    const auto start = Clock::now();
    const std::size_t done = match_all(router, requests, 2'000'000);
    std::printf("  %7.1f ns/match", milliseconds(Clock::now() - start) * 1e6 / double(done));
}

void measure(const Shape& shape, std::size_t count) {
    const auto rules = make_rules(shape, count);
    const std::size_t before = mallinfo2().uordblks;
    const auto start = Clock::now();
    route::Router router(shape.kind);
    for (const auto& rule : rules) router.add(rule);
    const double built = milliseconds(Clock::now() - start);
    const double bytes = double(mallinfo2().uordblks - before) / double(count);
    std::printf("%-22s %7zu routes  build %8.2f ms  %6.1f B/route", shape.name, count, built, bytes);
    measure_matches(router, Requests(shape, count, std::min<std::size_t>(count, 1000)));
    measure_matches(router, Requests(shape, count, count));
    std::printf("\n");
}

// One route replaced in a copy, the old version dropped: what a worker does for each change.
void measure_change(const Shape& shape, std::size_t count) {
    const auto rules = make_rules(shape, count);
    route::Router router(shape.kind);
    for (const auto& rule : rules) router.add(rule);
    constexpr std::size_t changes = 20'000;
    double worst = 0;
    const auto start = Clock::now();
    for (std::size_t i = 0; i < changes; ++i) {
        const auto begin = Clock::now();
        const auto& rule = rules[i * 7919 % count];
        route::Router next = router;
        next.remove(rule);
        next.add(rule);
        router = next;
        worst = std::max(worst, milliseconds(Clock::now() - begin) * 1000);
    }
    std::printf("%-22s %7zu routes  one change %6.2f us (worst %.0f us)\n", shape.name, count,
                milliseconds(Clock::now() - start) * 1000 / changes, worst);
}

constexpr Shape shapes[] = {{"uri, paths", route::RouterKind::uri, false},
                            {"uri, hosts of /*", route::RouterKind::uri, true},
                            {"host_uri, paths", route::RouterKind::host_uri, false},
                            {"host_uri, hosts of /*", route::RouterKind::host_uri, true}};

// For callgrind: the difference of two runs with different numbers of matches is what matches cost.
void run_once(const Shape& shape, std::size_t routes, std::size_t matches) {
    route::Router router(shape.kind);
    for (const auto& rule : make_rules(shape, routes)) router.add(rule);
    match_all(router, Requests(shape, routes, std::min<std::size_t>(routes, 1000)), matches);
}

}  // namespace

// Without arguments everything; `router_bench SHAPE ROUTES MATCHES` one case, for callgrind.
int main(int argc, char* argv[]) {
    if (argc == 4) {
        run_once(shapes[std::strtoul(argv[1], nullptr, 10) % 4], std::strtoul(argv[2], nullptr, 10),
                 std::strtoul(argv[3], nullptr, 10));
        return 0;
    }
    std::printf("matches: on (at most) 1,000 hot routes, then over all routes\n");
    for (const Shape& shape : shapes) {
        for (std::size_t count : {1u, 1'000u, 100'000u}) measure(shape, count);
    }
    for (const Shape& shape : shapes) measure_change(shape, 50'000);
}
