// What a revision costs a worker: building 100,000 routes, resolving them, one change among 50,000, freeing it all.
#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/snapshot/snapshot.hpp"
#include "libgateway/upstream/endpoint.hpp"

using namespace gateway;

namespace {

// Of this thread: other load of the machine does not count.
struct CpuClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<CpuClock>;
    static time_point now() noexcept {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
    }
};

constexpr std::chrono::microseconds slice(1000);

double microseconds_since(CpuClock::time_point start) {
    return std::chrono::duration<double, std::micro>(CpuClock::now() - start).count();
}
std::size_t heap() {
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

struct Shape {
    const char* name;
    bool by_host;
    bool with_service;
};

std::string route_json(const Shape& shape, std::size_t i, int version) {
    const std::string where = shape.by_host ? fmt::format(R"("uri":"/*","host":"tenant-{}.example.com")", i)
                                            : fmt::format(R"("uri":"/api/v1/tenant-{}/orders")", i);
    const std::string target = shape.with_service
                                   ? R"("service_id":"shop")"
                                   : fmt::format(R"("upstream":{{"nodes":{{"127.0.0.1:{}":1}}}})", 2000 + i % 50);
    return fmt::format(R"({{"name":"orders {}",{},"labels":{{"version":"{}"}},{}}})", i, where, version, target);
}

// Keeps the digest as control does.
class Source {
public:
    explicit Source(const Shape& shape) : shape_(shape) {}
    std::vector<char> whole(std::size_t routes) {
        std::vector<char> bytes;
        config::DeltaWriter writer(bytes);
        writer.begin(0, ++revision_);
        service_ = R"({"upstream":{"nodes":{"127.0.0.1:1980":1}}})";
        add(writer, {config::Kind::service, false, "shop", 1, service_});
        for (std::size_t i = 0; i < routes; ++i) {
            const std::string id = std::to_string(i), json = route_json(shape_, i, 0);
            add(writer, {config::Kind::route, false, id, i + 1, json});
        }
        writer.finish(digest_);
        return bytes;
    }
    std::vector<char> one_route(std::size_t i, int version) {
        const std::string id = std::to_string(i), json = route_json(shape_, i, version);
        digest_.remove(config::hash_of({config::Kind::route, false, id, i + 1, route_json(shape_, i, version - 1)}));
        return one({config::Kind::route, false, id, i + 1, json});
    }
    std::vector<char> service(std::string json) {
        digest_.remove(config::hash_of({config::Kind::service, false, "shop", 1, service_}));
        service_ = std::move(json);
        return one({config::Kind::service, false, "shop", 1, service_});
    }

private:
    void add(config::DeltaWriter& writer, const config::Change& change) {
        digest_.add(config::hash_of(change));
        writer.add(change);
    }
    std::vector<char> one(const config::Change& change) {
        std::vector<char> bytes;
        config::DeltaWriter writer(bytes);
        writer.begin(revision_, revision_ + 1);
        ++revision_;
        add(writer, change);
        writer.finish(digest_);
        return bytes;
    }
    Shape shape_;
    std::string service_;
    config::Digest digest_;
    std::uint64_t revision_ = 0;
};

class Worker {
public:
    ~Worker() {
        snapshot = nullptr;
        dig();
    }
    // Microseconds in all.
    double apply(const std::vector<char>& delta) {
        const auto start = CpuClock::now();
        {
            SnapshotBuilder builder(snapshot, endpoints);
            builder.feed(delta);
            for (bool done = false; !done;) {
                const auto turn = CpuClock::now();
                done = builder.advance(slice);
                longest = std::max(longest, microseconds_since(turn));
                if (!done) dig_once();
            }
            const auto turn = CpuClock::now();
            snapshot = builder.take();
            longest = std::max(longest, microseconds_since(turn));
        }
        return microseconds_since(start);
    }
    void dig() {
        while (!dig_once()) {
        }
    }
    bool dig_once() {
        const auto turn = CpuClock::now();
        const bool done = Graveyard::dig(slice);
        longest_dig = std::max(longest_dig, microseconds_since(turn));
        return done;
    }
    upstream::EndpointTable endpoints;
    SnapshotPtr snapshot;
    double longest = 0, longest_dig = 0;
};

std::vector<const route::RouteRule*> all_rules(const Worker& worker, const Shape& shape, std::size_t routes) {
    std::vector<const route::RouteRule*> rules;
    for (std::size_t i = 0; i < routes; ++i) {
        const std::string path = fmt::format("/api/v1/tenant-{}/orders", i);
        const std::string host = fmt::format("tenant-{}.example.com", i);
        route::MatchInput input;
        input.path = path;
        input.host = input.raw_host = shape.by_host ? std::string_view(host) : std::string_view("_");
        rules.push_back(worker.snapshot->router().find(input).rule());
    }
    return rules;
}

double nanoseconds_per_compiled(const Worker& worker, const std::vector<const route::RouteRule*>& rules) {
    const auto start = CpuClock::now();
    std::uint64_t sum = 0;
    for (const route::RouteRule* rule : rules) sum += worker.snapshot->compiled(*rule)->route_id.size();
    const double time = microseconds_since(start) * 1000 / static_cast<double>(rules.size());
    return sum ? time : 0;
}

void build(const Shape& shape, std::size_t routes) {
    Worker worker;
    Source source(shape);
    const std::vector<char> delta = source.whole(routes);
    const std::size_t before = heap();
    const double time = worker.apply(delta);
    const double count = static_cast<double>(routes);
    fmt::print("{:<28} {:>7} routes: {:.0f} ms, longest slice {:.0f} us, {:.0f} bytes a route", shape.name, routes,
               time / 1000, worker.longest, static_cast<double>(heap() - before) / count);
    const auto rules = all_rules(worker, shape, routes);
    const std::size_t cold = heap();
    const double first = nanoseconds_per_compiled(worker, rules);
    const double bytes = static_cast<double>(heap() - cold) / count;
    fmt::print("; compiled(): first {:.0f} ns and {:.0f} bytes, again {:.1f} ns\n", first, bytes,
               nanoseconds_per_compiled(worker, rules));
    worker.longest = 0;
    const double again = worker.apply(delta);
    fmt::print("{:<28} the same document again: {:.0f} ms, longest slice {:.0f} us", "", again / 1000, worker.longest);
    const auto drop = CpuClock::now();
    worker.snapshot = nullptr;
    const double dropped = microseconds_since(drop);
    worker.dig();
    fmt::print("; dropped in {:.0f} us, longest dig {:.0f} us\n", dropped, worker.longest_dig);
}

void change_routes(const Shape& shape, std::size_t routes, int changes) {
    Worker worker;
    Source source(shape);
    worker.apply(source.whole(routes));
    nanoseconds_per_compiled(worker, all_rules(worker, shape, routes));
    std::vector<double> times;
    worker.longest = 0;
    for (int i = 0; i < changes; ++i) {
        const std::size_t at = static_cast<std::size_t>(i) * 7919 % routes;
        times.push_back(worker.apply(source.one_route(at, 1)));
        worker.dig();
    }
    std::sort(times.begin(), times.end());
    fmt::print(
        "{:<28} one route of {}: median {:.1f} us, 99 % {:.1f} us, longest turn {:.0f} us, longest dig {:.0f} us\n",
        shape.name, routes, times[times.size() / 2], times[times.size() * 99 / 100], worker.longest,
        worker.longest_dig);
}

void change_service(std::size_t routes) {
    const Shape shape{"one service", false, true};
    Worker worker;
    Source source(shape);
    worker.apply(source.whole(routes));
    const auto rules = all_rules(worker, shape, routes);
    nanoseconds_per_compiled(worker, rules);
    worker.longest = 0;
    const double time = worker.apply(source.service(R"({"upstream":{"nodes":{"127.0.0.1:1981":1}}})"));
    fmt::print("service of {} routes, upstream: {:.0f} us, then {:.0f} ns a route when asked for", routes, time,
               nanoseconds_per_compiled(worker, rules));
    const double hosts =
        worker.apply(source.service(R"({"hosts":["a.example.com"],"upstream":{"nodes":{"127.0.0.1:1981":1}}})"));
    worker.dig();
    fmt::print("; hosts: {:.0f} ms, longest slice {:.0f} us, longest dig {:.0f} us\n", hosts / 1000, worker.longest,
               worker.longest_dig);
}

}  // namespace

// "build", "change" or nothing: both, where what the first part left in the heap weighs on the second.
int main(int count, char** arguments) {
    const std::string part = count > 1 ? arguments[1] : "";
    Graveyard::open();
    const Shape paths{"distinct paths", false, false}, hosts{"hosts of one path", true, false},
        served{"distinct paths, one service", false, true};
    if (part != "change") {
        for (const Shape& shape : {paths, hosts, served}) build(shape, 100'000);
    }
    if (part == "build") return 0;
    for (const Shape& shape : {paths, hosts, served}) change_routes(shape, 50'000, 2000);
    change_service(50'000);
}
