#include "libgateway/redis/sentinel.hpp"

#include "tests/support/catch.hpp"

using namespace gateway::redis;

namespace {

Reply text(std::string_view what) {
    Reply reply;
    reply.kind = Reply::Kind::text;
    reply.text = what;
    return reply;
}
Reply array(std::vector<Reply> items) {
    Reply reply;
    reply.kind = Reply::Kind::array;
    reply.items = std::move(items);
    return reply;
}
Reply replica(std::string_view ip, std::string_view port, std::string_view flags, std::string_view link = "ok") {
    return array({text("name"), text("r"), text("ip"), text(ip), text("port"), text(port), text("flags"), text(flags),
                  text("master-link-status"), text(link)});
}

}  // namespace

TEST_CASE("sentinel: the master is the address that is told, if it is one", "[redis][sentinel]") {
    CHECK(master_in(array({text("10.0.0.1"), text("6379")})) == Address{"10.0.0.1", 6379});
    CHECK(master_in(Reply{}).host.empty());
    CHECK(master_in(array({text("10.0.0.1")})).host.empty());
    CHECK(master_in(array({text(""), text("6379")})).host.empty());
    for (const char* port : {"0", "65536", "-1", "x", ""})
        CHECK(master_in(array({text("10.0.0.1"), text(port)})).host.empty());
    CHECK(master_in(array({array({}), text("6379")})).host.empty());
}

TEST_CASE("sentinel: a replica is one that is up and follows, not the one that failed", "[redis][sentinel]") {
    const Reply down = replica("10.0.0.1", "1", "s_down,slave"), lost = replica("10.0.0.2", "2", "slave,disconnected");
    const Reply behind = replica("10.0.0.3", "3", "slave", "err");
    const Reply four = replica("10.0.0.4", "4", "slave"), five = replica("10.0.0.5", "5", "slave");
    CHECK(replica_in(array({down, lost, behind}), {}).host.empty());
    CHECK(replica_in(array({down, four, five}), {}) == Address{"10.0.0.4", 4});
    CHECK(replica_in(array({four, five}), {"10.0.0.4", 4}) == Address{"10.0.0.5", 5});
    CHECK(replica_in(array({four, down}), {"10.0.0.4", 4}) == Address{"10.0.0.4", 4});
    CHECK(replica_in(array({text("ip"), array({text("ip")}), array({})}), {}).host.empty());
}
