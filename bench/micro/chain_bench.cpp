// Cost of a lane of five hooks: ready, none, with filters, when each must suspend, and with their time taken.
#include <chrono>
#include <cstdio>
#include <memory>
#include <span>
#include <vector>

#include "libgateway/telemetry/series.hpp"
#include "tests/support/fake_exchange.hpp"

namespace {

using namespace gateway;

class Ready final : public Plugin {
public:
    Step access(Exchange& exchange) const override { return exchange.has_args ? Verdict::respond : Verdict::next; }
};
class Waiting final : public Plugin {
public:
    Step access(Exchange& exchange) const override { return work(exchange); }

private:
    static Task<Verdict> work(Exchange& exchange) { co_return exchange.has_args ? Verdict::respond : Verdict::next; }
};

template <class P>
Ref<const Chain> five(const char* meta) {
    std::vector<Ref<const Instance>> instances;
    for (int i = 0; i < 5; ++i) {
        auto made = std::make_unique<Instance>();
        made->plugin = std::make_unique<P>();
        made->phases = phases_of<P>();
        made->meta = compile_meta(json::parse(meta));
        instances.push_back(Ref<const Instance>(made.release()));
    }
    return Chain::make(std::move(instances));
}

Task<void> wait_for(Step step) {
    Task<Verdict> pending = std::move(step).wait();
    co_await pending;
}

// As in a worker: the time of hooks is taken in one exchange of so many; 0: never.
constexpr int never = 0, as_shipped = 64, always = 1;

template <Phase P>
void measure(const char* what, const Chain& chain, Exchange& exchange, bool forget_filters, int timed_of = never) {
    constexpr int rounds = 2'000'000;
    int answers = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) {
        if (forget_filters) exchange.filter_results.fill(0);
        exchange.timed = timed_of != never && i % timed_of == 0;
        Step step = chain.run<P>(exchange);
        if (step.ready()) {
            answers += step.verdict() == Verdict::respond;
        } else {
            spawn(wait_for(std::move(step)));
        }
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - start;
    std::printf("%-28s %7.1f ns a lane (%d answers)\n", what, spent.count() / rounds, answers);
}

}  // namespace

int main() {
    test::FakeExchange exchange("GET", "/hello");
    exchange.with("X-A", "1");
    const auto ready = five<Ready>("{}");
    measure<Phase::access>("5 ready hooks", *ready, exchange, false);
    std::vector<std::uint64_t> page(1 << 16);
    telemetry::SeriesWriter writer(std::as_writable_bytes(std::span(page)));
    exchange.own_services.own_series = &writer;
    measure<Phase::access>("5 ready, 1 of 64 timed", *ready, exchange, false, as_shipped);
    measure<Phase::access>("5 ready, all timed", *ready, exchange, false, always);
    exchange.timed = false;
    measure<Phase::log>("absent phase", *ready, exchange, false);
    const auto filtered = five<Ready>(R"({"_meta":{"filter":[["http_x_a","==","1"]]}})");
    measure<Phase::access>("5 ready, filter known", *filtered, exchange, false);
    measure<Phase::access>("5 ready, filter evaluated", *filtered, exchange, true);
    const auto waiting = five<Waiting>("{}");
    measure<Phase::access>("5 hooks as tasks", *waiting, exchange, false);
}
