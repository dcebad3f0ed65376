#include "libgateway/process/plan.hpp"

#include <arpa/inet.h>

#include "tests/support/catch.hpp"

using namespace gateway::process;

namespace {

ListenerPlan listener(const char* name, std::uint16_t port) {
    ListenerPlan plan;
    plan.name.assign(name);
    auto& address = reinterpret_cast<sockaddr_in&>(plan.address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    plan.address_size = sizeof(sockaddr_in);
    return plan;
}

Plan good_plan() {
    Plan plan;
    plan.listener_count = 2;
    plan.listeners[0] = listener("a", 8080);
    plan.listeners[1] = listener("b", 0);
    plan.socket_path.assign("/run/gateway.sock");
    plan.data_dir.assign("/var/lib/gateway");
    plan.error_log.assign("stderr");
    return plan;
}

}  // namespace

TEST_CASE("plan: a good one passes", "[process][plan]") {
    CHECK(check(good_plan()).empty());
}

TEST_CASE("plan: each wrong field is named", "[process][plan]") {
    struct Row {
        void (*spoil)(Plan&);
        const char* text;
    };
    const Row row = GENERATE(values<Row>({
        {[](Plan& p) { p.magic = 1; }, "another version"},
        {[](Plan& p) { p.version = 1; }, "another version"},
        {[](Plan& p) { p.worker_count = 0; }, "worker_processes"},
        {[](Plan& p) { p.worker_count = 129; }, "worker_processes"},
        {[](Plan& p) { p.listener_count = 65; }, "listeners"},
        {[](Plan& p) { p.open_files = 31; }, "worker_rlimit_nofile"},
        {[](Plan& p) { p.worker_connections = p.open_files + 1; }, "worker_connections"},
        {[](Plan& p) { p.shutdown_timeout_ms = ~0u; }, "worker_shutdown_timeout"},
        {[](Plan& p) { p.uid = -2; }, "user"},
        {[](Plan& p) { p.gid = std::int64_t{1} << 32; }, "user"},
        {[](Plan& p) { p.table_sizes[1] = ~0ull; }, "lua_shared_dict"},
        {[](Plan& p) { p.series_size = ~0ull; }, "lua_shared_dict.prometheus-metrics"},
        {[](Plan& p) { p.error_log_level = 8; }, "error_log_level"},
        {[](Plan& p) { p.admin.size = 3; }, "admin_listen: not an IPv4"},
        {[](Plan& p) { p.inner.size = 3; }, "apisix.control: not an IPv4"},
        {[](Plan& p) { p.listeners[1].address.ss_family = AF_UNIX; }, "listener 2: not an IPv4"},
        {[](Plan& p) { p.listeners[0].address_size = 3; }, "listener 1: not an IPv4"},
        {[](Plan& p) { p.listeners[1].address = p.listeners[0].address; },
         "listener 2: 127.0.0.1:8080 is listed twice"},
        {[](Plan& p) { p.listeners[0].name.bytes.fill('x'); }, "listener 1: name"},
        {[](Plan& p) { p.listeners[0] = p.listeners[1]; }, "listener 2: 127.0.0.1:0 is listed twice"},
        {[](Plan& p) { p.status.size = 5; }, "status"},
        {[](Plan& p) { p.socket_path.assign("gateway.sock"); }, "socket_path"},
        {[](Plan& p) { p.data_dir.assign(""); }, "data_dir"},
        {[](Plan& p) { p.data_dir.bytes.fill('/'); }, "data_dir"},
        {[](Plan& p) { p.pid_file.assign("pid"); }, "pid_file"},
        {[](Plan& p) { p.access_log.assign("access.log"); }, "log"},
    }));
    Plan plan = good_plan();
    row.spoil(plan);
    CAPTURE(row.text);
    CHECK(check(plan).find(row.text) != std::string::npos);
}

TEST_CASE("plan: settings that need a restart are named, others are not", "[process][plan]") {
    const Plan before = good_plan();
    Plan after = before;
    after.worker_count = 7;
    after.listener_count = 1;
    after.access_log.assign("/var/log/other");
    CHECK(needs_restart(before, after).empty());
    after.uid = 33;
    after.data_dir.assign("/elsewhere");
    CHECK(needs_restart(before, after) == "user, data_dir");
}

TEST_CASE("plan: addresses read as people write them", "[process][plan]") {
    CHECK(address_text(listener("a", 80).address) == "127.0.0.1:80");
    sockaddr_storage address{};
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    v6.sin6_port = htons(443);
    CHECK(address_text(address) == "[::1]:443");
    CHECK(port_of(address) == 443);
    CHECK(address_text(sockaddr_storage{}) == "?");
}

TEST_CASE("plan: a text that does not fit is not stored", "[process][plan]") {
    FixedText<4> text;
    CHECK(text.assign("abc"));
    CHECK_FALSE(text.assign("abcd"));
    CHECK(text.view() == "abc");
}
