#include "libgateway/process/listening.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>

#include <map>

#include "tests/support/catch.hpp"
#include "tests/support/connection.hpp"
#include "tests/support/eventually.hpp"

using namespace gateway;
using namespace gateway::process;

namespace {

ListenerPlan on_port(std::uint16_t port) {
    ListenerPlan plan;
    auto& address = reinterpret_cast<sockaddr_in&>(plan.address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    plan.address_size = sizeof(sockaddr_in);
    return plan;
}

SlotSet only(std::initializer_list<std::uint32_t> slots) {
    SlotSet set{};
    for (const std::uint32_t slot : slots) set[slot] = true;
    return set;
}

// Makes `count` connections; how many each worker slot of the group was given.
std::map<std::uint32_t, int> spread(const ListeningGroup& group, int count) {
    std::vector<test::Connection> clients;
    for (int i = 0; i < count; ++i) clients.push_back(test::connect_to(port_of(group.bound().address)));
    std::map<std::uint32_t, int> given;
    for (std::uint32_t worker = 0; worker < max_workers; ++worker) {
        if (group.fd(worker) < 0) continue;
        while (UniqueFd client{::accept4(group.fd(worker), nullptr, nullptr, SOCK_CLOEXEC)}) ++given[worker];
    }
    return given;
}

}  // namespace

TEST_CASE("listening group: port 0 is bound once and belongs to all", "[process][listening]") {
    ListeningGroup group(on_port(0), 5, true);
    for (const std::uint32_t worker : {0u, 1u, 7u}) group.open(worker);
    CHECK(port_of(group.asked().address) == 0);
    for (const std::uint32_t worker : {0u, 1u, 7u})
        CHECK(bound_port(group.fd(worker)) == port_of(group.bound().address));
    CHECK(spread(group, 60).size() == 3);
}

TEST_CASE("listening group: new connections go to live slots only", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    for (std::uint32_t worker = 0; worker < 5; ++worker) group.open(worker);
    REQUIRE(group.steer(only({1, 4})));
    auto given = spread(group, 100);
    CHECK(given.size() == 2);
    CHECK(given[1] + given[4] == 100);
    CHECK(given[1] > 20);
    CHECK(given[4] > 20);
    REQUIRE(group.steer(only({3})));
    CHECK(spread(group, 100) == std::map<std::uint32_t, int>{{3, 100}});
}

TEST_CASE("listening group: steering stays right when sockets of the group close and open", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    for (std::uint32_t worker = 0; worker < 5; ++worker) group.open(worker);
    group.close(1);  // the kernel moves the last one, 4, into its place
    for (const std::uint32_t worker : {0u, 2u, 3u, 4u}) {
        REQUIRE(group.steer(only({worker})));
        CHECK(spread(group, 30) == std::map<std::uint32_t, int>{{worker, 30}});
    }
    group.close(0);
    group.open(9);
    for (const std::uint32_t worker : {2u, 3u, 4u, 9u}) {
        REQUIRE(group.steer(only({worker})));
        CHECK(spread(group, 30) == std::map<std::uint32_t, int>{{worker, 30}});
    }
}

TEST_CASE("listening group: a slot that becomes free disturbs nobody, not even before steering anew",
          "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    for (std::uint32_t worker = 0; worker < 4; ++worker) group.open(worker);
    REQUIRE(group.steer(only({2, 3})));
    group.release(0);
    const auto given = spread(group, 100);
    CHECK(given.count(0) + given.count(1) == 0);
    CHECK(group.has_waiting(0) == false);
    CHECK_FALSE(group.open(0));  // its next worker finds it open
}

TEST_CASE("listening group: a connection that came too late for its worker is seen", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    for (std::uint32_t worker = 0; worker < 2; ++worker) group.open(worker);
    REQUIRE(group.steer(only({1})));
    test::Connection client = test::connect_to(port_of(group.bound().address));
    REQUIRE(test::eventually([&] { return group.has_waiting(1); }));
    group.release(1);
    CHECK(group.has_waiting(1));
    CHECK_FALSE(group.has_waiting(0));
}

TEST_CASE("listening group: where nothing can be steered a free slot is closed", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    for (std::uint32_t worker = 0; worker < 2; ++worker) group.open(worker);
    group.release(0);
    CHECK(group.fd(0) < 0);
}

TEST_CASE("listening group: a copy of a closed socket elsewhere does not disturb steering", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    for (std::uint32_t worker = 0; worker < 3; ++worker) group.open(worker);
    const UniqueFd copy(::fcntl(group.fd(0), F_DUPFD_CLOEXEC, 3));
    group.close(0);
    for (const std::uint32_t worker : {1u, 2u}) {
        REQUIRE(group.steer(only({worker})));
        CHECK(spread(group, 30) == std::map<std::uint32_t, int>{{worker, 30}});
    }
}

TEST_CASE("listening group: with nobody live every slot gets some, and all 128 can be steered",
          "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    for (std::uint32_t worker = 0; worker < max_workers; ++worker) group.open(worker);
    REQUIRE(group.steer(SlotSet{}));
    CHECK(spread(group, 200).size() > 50);
}

TEST_CASE("listening group: without reuse_port all share one queue", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, false);
    group.open(0);
    group.open(1);
    CHECK(group.steer(only({1})));
    test::Connection client = test::connect_to(port_of(group.bound().address));
    pollfd events[2] = {{group.fd(0), POLLIN, 0}, {group.fd(1), POLLIN, 0}};
    CHECK(::poll(events, 2, 1000) == 2);
    group.close(0);
    CHECK(spread(group, 3)[1] == 4);
}

TEST_CASE("listening group: survives being saved and loaded", "[process][listening]") {
    ListeningGroup group(on_port(0), 6, true);
    for (std::uint32_t worker = 0; worker < 4; ++worker) group.open(worker);
    group.close(0);
    ListeningGroup::Saved saved = group.save();
    for (std::int32_t& fd : saved.fds) fd = fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    ListeningGroup next(saved);
    CHECK(next.slot() == 6);
    CHECK(port_of(next.bound().address) == port_of(group.bound().address));
    for (const std::uint32_t worker : {1u, 2u, 3u}) {
        REQUIRE(next.steer(only({worker})));
        CHECK(spread(next, 20) == std::map<std::uint32_t, int>{{worker, 20}});
    }
    saved.fds.fill(-1);
    saved.fds[0] = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
    CHECK_THROWS_WITH(ListeningGroup(saved), test::contains("is no listener"));
}

TEST_CASE("probe: an address in use is named, also when it is shared", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    group.open(0);
    const std::uint16_t port = port_of(group.bound().address);
    CHECK(probe(on_port(port)).find("cannot listen on 127.0.0.1:" + std::to_string(port)) == 0);
    group.close(0);
    CHECK(probe(on_port(port)).empty());
    ListenerPlan foreign = on_port(1);
    reinterpret_cast<sockaddr_in&>(foreign.address).sin_addr.s_addr = ::inet_addr("192.0.2.1");
    CHECK(probe(foreign).find("192.0.2.1:1") != std::string::npos);
}

TEST_CASE("probe: connections that linger after their listener closed do not count", "[process][listening]") {
    ListeningGroup group(on_port(0), 0, true);
    group.open(0);
    const std::uint16_t port = port_of(group.bound().address);
    {
        test::Connection client = test::connect_to(port);
        UniqueFd accepted;
        while (!accepted) accepted.reset(::accept4(group.fd(0), nullptr, nullptr, SOCK_CLOEXEC));
        accepted.reset();  // closed by us first: TIME_WAIT is on our side
        client.read_to_end();
    }
    group.close_all();
    CHECK(probe(on_port(port)).empty());
}

TEST_CASE("channel listener: has an abstract name of its own", "[process][listening]") {
    FixedText<108> first, second;
    const UniqueFd a = open_channel_listener(first), b = open_channel_listener(second);
    CHECK_FALSE(first.view().empty());
    CHECK(first.view() != second.view());
}
