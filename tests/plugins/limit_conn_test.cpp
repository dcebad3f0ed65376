#include <list>
#include <map>

#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Requests that are all under way at once.
class Parallel {
public:
    explicit Parallel(std::string_view conf) : chain_(chain_of("limit-conn", conf)) {}

    // What access says: 200 for "goes on", else the status of the refusal.
    unsigned start(const FieldList& fields = {}) {
        FakeExchange& exchange = running_.emplace_back();
        exchange.own_services.shared = &tables_;
        for (const auto& [name, value] : fields) exchange.with(name, value);
        Step step = chain_->run<Phase::access>(exchange);
        if (step.ready()) return step.verdict() == Verdict::next ? 200 : exchange.reply().status;
        waiting_.push_back(std::move(step).wait());
        spawn([](Task<Verdict>& task) -> Task<void> { (void)co_await task; }(waiting_.back()));
        return 200;
    }
    std::map<unsigned, int> start_many(int count) {
        std::map<unsigned, int> by_status;
        for (int i = 0; i < count; ++i) ++by_status[start()];
        return by_status;
    }
    FakeExchange& request(std::size_t index) {
        return *std::next(running_.begin(), static_cast<std::ptrdiff_t>(index));
    }
    void end(std::size_t index) { (void)chain_->run<Phase::log>(request(index)); }
    void end_all() {
        for (FakeExchange& exchange : running_) {
            while (exchange.own_services.wake()) continue;
            (void)chain_->run<Phase::log>(exchange);
        }
    }
    const Chain& chain() const { return *chain_; }

private:
    shm::Tables tables_;
    Ref<const Chain> chain_;
    std::list<FakeExchange> running_;
    std::list<Task<Verdict>> waiting_;
};

using Count = std::map<unsigned, int>;

}  // namespace

TEST_CASE("limit-conn: conn and burst at once, the rest is refused (LN1) (LN2)", "[plugins][limit_conn]") {
    const LogLines lines;
    Parallel few(R"({"conn":2,"burst":1,"default_conn_delay":0.1,"key":"remote_addr"})");
    CHECK(few.start_many(10) == Count{{200, 3}, {503, 7}});
    few.end_all();
    CHECK(few.start_many(10) == Count{{200, 3}, {503, 7}});
    few.end_all();
    Parallel many(R"({"conn":100,"burst":50,"default_conn_delay":0.1,"key":"remote_addr"})");
    CHECK(many.start_many(10) == Count{{200, 10}});
    many.end_all();
}

TEST_CASE("limit-conn: the refusal says what is configured (LN3)", "[plugins][limit_conn]") {
    const LogLines lines;
    Parallel requests(R"({"conn":5,"burst":1,"default_conn_delay":0.1,"key":"remote_addr","rejected_msg":"busy"})");
    CHECK(requests.start_many(10) == Count{{200, 6}, {503, 4}});
    CHECK(requests.request(9).reply().body == R"({"error_msg":"busy"})");
    CHECK(requests.request(9).reply().kind == LocalReply::Body::json);
    requests.end_all();
}

TEST_CASE("limit-conn: the burst waits the longer the more are before it (LN4)", "[plugins][limit_conn]") {
    Parallel requests(R"({"conn":1,"burst":2,"default_conn_delay":0.1,"key":"remote_addr"})");
    CHECK(requests.start_many(3) == Count{{200, 3}});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(requests.request(i).own_services.slept == Milliseconds(100 * static_cast<int>(i)));
    }
    requests.end_all();
}

TEST_CASE("limit-conn: rules count where their key is set; none of them: an error (LN6)", "[plugins][limit_conn]") {
    const LogLines lines;
    Parallel requests(R"({"default_conn_delay":0.1,"rules":[{"conn":1,"burst":0,"key":"${http_t}"},)"
                      R"({"conn":2,"burst":0,"key":"${http_t}/${http_u}"}]})");
    CHECK(requests.start({{"t", "a"}}) == 200);
    CHECK(requests.start({{"t", "a"}}) == 503);
    CHECK(requests.start({{"t", "b"}}) == 200);
    CHECK(requests.start() == 500);
    CHECK(requests.start({{"u", "c"}}) == 200);
    CHECK(requests.start({{"u", "c"}}) == 200);
    CHECK(requests.start({{"u", "c"}}) == 503);
    requests.end(0);
    CHECK(requests.start({{"t", "a"}}) == 200);
    requests.end_all();
    FakeExchange degraded;
    CHECK(degraded
              .run(*chain_of("limit-conn", R"({"default_conn_delay":0.1,"allow_degradation":true,)"
                                           R"("rules":[{"conn":1,"burst":0,"key":"${http_t}"}]})"))
              .status == 200);
}

TEST_CASE("limit-conn: a rule that refuses gives back what earlier rules took", "[plugins][limit_conn]") {
    const LogLines lines;
    Parallel requests(R"({"default_conn_delay":0.1,"rules":[{"conn":2,"burst":0,"key":"${http_t}"},)"
                      R"({"conn":1,"burst":0,"key":"${http_u}"}]})");
    CHECK(requests.start({{"t", "a"}, {"u", "x"}}) == 200);
    CHECK(requests.start({{"t", "a"}, {"u", "x"}}) == 503);
    requests.end(1);
    CHECK(requests.start({{"t", "a"}, {"u", "y"}}) == 200);
    CHECK(requests.start({{"t", "a"}, {"u", "z"}}) == 503);
    requests.end_all();
}

TEST_CASE("limit-conn: templates give the limits; a bad number is an error", "[plugins][limit_conn]") {
    const LogLines lines;
    Parallel requests(R"({"conn":"${http_conn ?? 1}","burst":"${http_burst ?? 0}","default_conn_delay":0.1,)"
                      R"("key":"remote_addr"})");
    CHECK(requests.start() == 200);
    CHECK(requests.start() == 503);
    CHECK(requests.start({{"conn", "2"}}) == 200);
    CHECK(requests.start({{"conn", "0"}}) == 500);
    CHECK(requests.start({{"burst", "-1"}}) == 500);
    requests.end_all();
}

TEST_CASE("limit-conn: log without access releases nothing, and neither phase allocates", "[plugins][limit_conn]") {
    Parallel requests(R"({"conn":1,"burst":0,"default_conn_delay":0.1,"key":"remote_addr"})");
    CHECK(requests.start() == 200);
    requests.end(0);
    FakeExchange& exchange = requests.request(0);
    const AllocCount count;
    (void)requests.chain().run<Phase::log>(exchange);
    CHECK(requests.chain().run<Phase::access>(exchange).verdict() == Verdict::next);
    (void)requests.chain().run<Phase::log>(exchange);
    CHECK(count.count() == 0);
}
