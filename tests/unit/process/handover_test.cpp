// Parts of the master that hold on to the outside: state across a re-execution, lock, notify socket, channel, rights.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>

#include "libgateway/base/clock.hpp"
#include "libgateway/process/instance_lock.hpp"
#include "libgateway/process/master_channel.hpp"
#include "libgateway/process/privileges.hpp"
#include "libgateway/process/sd_notify.hpp"
#include "libgateway/process/upgrade.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

using namespace gateway;
using namespace gateway::process;

namespace {

std::unique_ptr<UpgradeState> good_state() {
    auto state = std::make_unique<UpgradeState>();
    state->master = ::getpid();
    state->plan.socket_path.assign("/run/g.sock");
    state->plan.data_dir.assign("/var/lib/g");
    return state;
}

// What a run of `/bin/sh -c SCRIPT …` as new binary leads to.
std::string verdict_on(const std::string& script, std::int64_t now_ns) {
    UpgradeCheck check("/bin/sh", {"sh", "-c", script}, now_ns);
    int status = 0;
    CHECK(test::eventually([&] {
        check.collect();
        if (monotonic_ns() >= check.deadline_ns()) check.give_up();
        return ::waitpid(check.pid(), &status, WNOHANG) == check.pid();
    }));
    return check.ended(status);
}

}  // namespace

TEST_CASE("upgrade state: is read back as it was written", "[process][upgrade]") {
    auto state = good_state();
    state->workers[5].pid = 77;
    state->groups[2].used = 1;
    const UpgradeState next = load(save(*state));
    CHECK(next.workers[5].pid == 77);
    CHECK(next.groups[2].used == 1);
}

TEST_CASE("upgrade state: of another version, for another process or with a bad plan is refused",
          "[process][upgrade]") {
    auto state = good_state();
    SECTION("version") {
        state->magic++;
        CHECK_THROWS_WITH(load(save(*state)), test::contains("another version"));
    }
    SECTION("size") {
        state->size--;
        CHECK_THROWS_WITH(load(save(*state)), test::contains("another version"));
    }
    SECTION("process") {
        state->master++;
        CHECK_THROWS_WITH(load(save(*state)), test::contains("another process"));
    }
    SECTION("plan") {
        state->plan.worker_count = 1000;
        CHECK_THROWS_WITH(load(save(*state)), test::contains("worker_processes"));
    }
    SECTION("cut short") {
        const UniqueFd fd = save(*state);
        REQUIRE(::ftruncate(fd.get(), 100) == 0);
        CHECK_THROWS_WITH(load(UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3))), test::contains("another version"));
    }
}

TEST_CASE("upgrade check: a binary is good only if it exits 0 in time", "[process][upgrade]") {
    const std::int64_t now = monotonic_ns();
    CHECK(verdict_on("exit 0", now).empty());
    CHECK(verdict_on("exit 4", now) == "new binary /bin/sh: --check-upgrade ended with status 4");
    CHECK(verdict_on("echo first; echo last >&2; exit 1", now).find("status 1: first\nlast") != std::string::npos);
    CHECK(verdict_on("kill -9 $$", now).find("signal 9") != std::string::npos);
    CHECK(verdict_on("head -c 1000000 /dev/zero; exit 2", now).find("status 2") != std::string::npos);
    const std::int64_t nearly_over = now - 9'900 * ns_per_ms;
    CHECK(verdict_on("sleep 100", nearly_over).find("within 10 s") != std::string::npos);
}

TEST_CASE("program path: relative paths and names become absolute", "[process][upgrade]") {
    CHECK(program_path("/usr/sbin/gatewayd") == "/usr/sbin/gatewayd");
    CHECK(program_path("bin/gatewayd").starts_with("/"));
    CHECK(program_path("bin/gatewayd").ends_with("/bin/gatewayd"));
    CHECK(program_path("sh").ends_with("/sh"));
    CHECK(program_path("no-such-program").starts_with("/"));
}

TEST_CASE("instance lock: a second one names the first and the file", "[process][instance_lock]") {
    const test::TempDir folder;
    UniqueFd first = lock_instance(folder.path().string());
    CHECK_THROWS_WITH(lock_instance(folder.path().string()),
                      test::contains("another gateway (pid " + std::to_string(::getpid()) + ")") &&
                          test::contains((folder / "lock").string()));
    first.reset();
    CHECK_NOTHROW(lock_instance(folder.path().string()));
}

TEST_CASE("instance lock: a file that cannot be opened is named with its directory", "[process][instance_lock]") {
    const test::TempDir folder;
    std::filesystem::create_symlink("/etc/passwd", folder / "lock");
    CHECK_THROWS_WITH(lock_instance(folder.path().string()),
                      test::contains("cannot open " + (folder / "lock").string()));
    CHECK_THROWS_WITH(lock_instance((folder / "none").string()), test::contains("No such file"));
}

TEST_CASE("sd_notify: speaks to an abstract socket, repeats no status and pings at half the interval",
          "[process][sd_notify]") {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr family{AF_UNIX, {}};
    REQUIRE(::bind(socket.get(), &family, sizeof(sa_family_t)) == 0);
    sockaddr_un address{};
    socklen_t size = sizeof address;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    const std::string name = "@" + std::string(address.sun_path + 1, size - sizeof(sa_family_t) - 1);
    const auto next = [&] {
        char block[512];
        const ssize_t got = ::recv(socket.get(), block, sizeof block, MSG_DONTWAIT);
        return std::string(block, got > 0 ? static_cast<std::size_t>(got) : 0);
    };
    SdNotify notify(name.c_str(), "1000000", nullptr);
    notify.status("a");
    notify.status("a");
    CHECK(next() == "STATUS=a");
    CHECK(next().empty());
    const std::int64_t start = 5'000'000'000;
    notify.watchdog(start);
    notify.watchdog(start + 499'000'000);
    notify.watchdog(start + 500'000'000);
    CHECK(next() == "WATCHDOG=1");
    CHECK(next() == "WATCHDOG=1");
    CHECK(next().empty());
    notify.stopping();
    CHECK(next().find("STOPPING=1") == 0);
}

TEST_CASE("sd_notify: is silent without a socket and pings nobody else's watchdog", "[process][sd_notify]") {
    CHECK_NOTHROW(SdNotify(nullptr, nullptr, nullptr).stopping());
    CHECK_NOTHROW(SdNotify("relative", "1", nullptr).stopping());
    CHECK_NOTHROW(SdNotify("/no/such/socket", nullptr, nullptr).stopping());
    CHECK(SdNotify("@x", "1000000", "1").watchdog_interval_ns() == 0);
    CHECK(SdNotify("@x", "1000000", std::to_string(::getpid()).c_str()).watchdog_interval_ns() == 500'000'000);
    CHECK(SdNotify("@x", "much", nullptr).watchdog_interval_ns() == 0);
}

TEST_CASE("master channel: keeps in order what the child does not read, up to a bound", "[process][master_channel]") {
    MasterChannel channel;
    const UniqueFd far = channel.open();
    std::uint64_t sent = 0;
    while (channel.send(ToWorker::drain, sent + 1, "text", {}, {})) {
        ++sent;
        REQUIRE(sent < 100'000);
    }
    CHECK(sent > MasterChannel::max_waiting);
    PacketReader<MasterHead> reader;
    std::uint64_t received = 0;
    bool in_order = true;
    CHECK(test::eventually([&] {
        while (reader.receive(far.get()) == PacketStatus::done)
            in_order = in_order && reader.head().number == ++received;
        channel.flush();
        return received == sent;
    }));
    CHECK(in_order);
}

TEST_CASE("master channel: a child that is gone takes nothing, a long text is cut", "[process][master_channel]") {
    MasterChannel channel;
    UniqueFd far = channel.open();
    CHECK(channel.send(ToControl::upgrade_note, 0, std::string(1000, 'x')));
    PacketReader<MasterHead> reader;
    REQUIRE(reader.receive(far.get()) == PacketStatus::done);
    CHECK(reader.head().text.view().size() == 399);
    far.reset();
    CHECK_FALSE(channel.send(ToControl::stop));
    channel.close();
    CHECK_FALSE(channel.send(ToControl::stop));
}
