#include "libgateway/net/resolver.hpp"

#include <sys/socket.h>

#include <boost/system/errc.hpp>
#include <optional>

#include "libgateway/net/stream.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/scripted_dns.hpp"

using namespace gateway;
using namespace gateway::net;
using gateway::test::ScriptedDns;

namespace {

// Somebody an answer is for: one end is watched, closing the other is leaving.
struct Asker {
    explicit Asker(Reactor& reactor) {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
        far.reset(fds[0]);
        REQUIRE(near.open(reactor, UniqueFd(fds[1])));
    }
    bool is_told() const { return answer.has_value(); }
    bool is_cancelled() const {
        return answer && answer->has_error() && answer->error().code == boost::system::errc::operation_canceled;
    }
    UniqueFd far;
    Stream near;
    std::optional<Result<SocketAddress>> answer;
};

Task<void> ask(Resolver& resolver, Asker& asker) {
    Result<SocketAddress> answer = co_await resolver.resolve("slow.example", 8080, &asker.near.descriptor());
    asker.answer = answer;
}

ResolverSettings asking(const ScriptedDns& names) {
    ResolverSettings settings;
    settings.servers = {names.server()};
    settings.timeout = Milliseconds(60'000);
    settings.search = false;
    return settings;
}

// Runs the loop until `done`, at most ten seconds.
template <class Done>
bool run_until(Reactor& reactor, Done&& done) {
    const std::int64_t limit = monotonic_ns() + 10'000'000'000;
    reactor.set_longest_sleep(5);
    bool held = false;
    reactor.run([&](std::int64_t) {
        held = done();
        if (held || monotonic_ns() > limit) reactor.stop();
    });
    return held;
}

}  // namespace

TEST_CASE("resolver: who leaves is woken at once, who stays gets the answer", "[net][resolver]") {
    ScriptedDns names;
    Reactor reactor;
    Resolver resolver(reactor, asking(names));
    Asker first(reactor), leaving(reactor), last(reactor);
    for (Asker* asker : {&first, &leaving, &last}) spawn(ask(resolver, *asker));
    bool spoken = false;
    const bool told = run_until(reactor, [&] {
        if (names.questions() > 0) leaving.far.reset();
        if (leaving.is_told() && !spoken) {
            spoken = true;
            CHECK_FALSE(first.is_told());
            CHECK_FALSE(last.is_told());
            names.speak();
        }
        return first.is_told() && last.is_told();
    });
    REQUIRE(told);
    CHECK(leaving.is_cancelled());
    REQUIRE((first.answer->has_value() && last.answer->has_value()));
    CHECK((*first.answer)->text() == "127.0.0.1:8080");
    Asker later(reactor);
    spawn(ask(resolver, later));
    CHECK(later.is_told());
}

TEST_CASE("resolver: all who asked may leave, and the answer is kept for others", "[net][resolver]") {
    ScriptedDns names;
    Reactor reactor;
    Resolver resolver(reactor, asking(names));
    Asker one(reactor), two(reactor);
    spawn(ask(resolver, one));
    spawn(ask(resolver, two));
    const bool known = run_until(reactor, [&] {
        one.far.reset();
        two.far.reset();
        if (one.is_told() && two.is_told()) names.speak();
        return resolver.cached("slow.example") != nullptr;
    });
    REQUIRE(known);
    CHECK((one.is_cancelled() && two.is_cancelled()));
}

TEST_CASE("resolver: localhost is this machine without asking anybody", "[net][resolver]") {
    Reactor reactor;
    Resolver resolver(reactor, {});
    const auto name = GENERATE("localhost", "LocalHost.", "app.localhost");
    const SocketAddress* address = resolver.cached(name);
    REQUIRE(address);
    CHECK(address->text() == "127.0.0.1:0");
    resolver.expire(name);
    CHECK(resolver.cached(name) == address);
    CHECK(resolver.cached("notlocalhost") == nullptr);
}
