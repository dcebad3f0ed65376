// SIGUSR2: a new binary takes over in place, a bad one changes nothing.
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/fake_machine.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

std::set<pid_t> pids_of(const MachineState& state) {
    std::set<pid_t> pids;
    for (const auto& [slot, worker] : state.workers) pids.insert(worker.pid);
    return pids;
}

// Puts `text` in the place of the program, as an installer does: a new file under the old name.
void replace_program(FakeMachine& machine, const std::string& text) {
    const auto fresh = machine.folder() / "gw.new";
    std::ofstream(fresh) << text;
    ::chmod(fresh.c_str(), 0755);
    std::filesystem::rename(fresh, machine.folder() / "gw");
}

bool upgraded(FakeMachine& machine, const MachineState& before, std::size_t workers) {
    const MachineState now = machine.state();
    return now.number("control") > 0 && now.number("control") != before.number("control") &&
           now["note"].find("new binary serves") == 0 && machine.ready(workers);
}

}  // namespace

TEST_CASE("upgrade: new processes serve, the old ones go, the master keeps its pid and port", "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    machine.master().signal(SIGUSR2);
    REQUIRE(eventually([&] { return upgraded(machine, before, 2); }));
    const MachineState after = machine.state();
    CHECK(after.port(0) == before.port(0));
    CHECK(after["respawned"] == "0");
    CHECK(pids_of(after).count(before.workers.at(0).pid) == 0);
    CHECK(FakeMachine::answering_all(before.port(0), 60) == pids_of(after));
    CHECK_FALSE(alive(before.number("control")));
    SECTION("again, into the places of the first ones") {
        machine.master().signal(SIGUSR2);
        REQUIRE(eventually([&] { return upgraded(machine, after, 2); }));
        CHECK(machine.state().workers.count(0) == 1);
        CHECK(FakeMachine::answering_all(before.port(0), 20).count(0) == 0);
    }
    SECTION("supervision goes on") {
        ::kill(after.workers.begin()->second.pid, SIGKILL);
        CHECK(eventually([&] { return machine.ready(2) && pids_of(machine.state()) != pids_of(after); }));
    }
    SECTION("a graceful stop ends all") {
        machine.master().signal(SIGQUIT);
        CHECK(machine.master().wait() == 0);
        CHECK_FALSE(std::filesystem::exists(machine.socket_path()));
    }
}

TEST_CASE("upgrade: no connection breaks while one binary follows the other", "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    MachineState before = machine.state();
    const int port = before.port(0);
    std::atomic<bool> done{false};
    std::atomic<int> answered{0}, broken{0};
    std::thread client([&] {
        while (!done) ++(FakeMachine::answering(port) > 0 ? answered : broken);
    });
    for (int round = 0; round < 3; ++round) {
        machine.master().signal(SIGUSR2);
        CHECK(eventually([&] { return upgraded(machine, before, 2); }, milliseconds(10000)));
        before = machine.state();
    }
    done = true;
    client.join();
    CHECK(broken == 0);
    CHECK(answered > 100);
}

TEST_CASE("upgrade: a bad binary changes nothing and the reason is reported", "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    std::string reason;
    SECTION("missing") {
        std::filesystem::remove(machine.folder() / "gw");
        reason = "No such file or directory";
    }
    SECTION("ends with an error") {
        replace_program(machine, "#!/bin/sh\necho 'it does not fit'\nexit 3\n");
        reason = "ended with status 3: it does not fit";
    }
    SECTION("is killed") {
        replace_program(machine, "#!/bin/sh\nkill -9 $$\n");
        reason = "ended by signal 9";
    }
    SECTION("is no program") {
        replace_program(machine, "\x7f\x45LF");
        reason = "Exec format error";
    }
    SECTION("does not accept the static file") {
        machine.configure("broken\n");
        reason = "the file is bad";
    }
    machine.master().signal(SIGUSR2);
    REQUIRE(eventually([&] { return !machine.state()["note"].empty(); }));
    const MachineState after = machine.state();
    CHECK(after["note"].find(reason) != std::string::npos);
    CHECK(machine.logged("nothing changes"));
    CHECK(after.number("control") == before.number("control"));
    CHECK(pids_of(after) == pids_of(before));
    CHECK(FakeMachine::answering_all(before.port(0), 20) == pids_of(before));
}

TEST_CASE("upgrade: a good check and a program that cannot be executed then change nothing", "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    // It removes itself while it is checked, so that the execution in place fails.
    replace_program(machine, "#!/bin/sh\nrm -f \"$0\"\nexit 0\n");
    machine.master().signal(SIGUSR2);
    REQUIRE(eventually([&] { return machine.state()["note"].find("cannot execute") == 0; }));
    CHECK(pids_of(machine.state()) == pids_of(before));
    ::kill(before.workers.at(0).pid, SIGKILL);
    CHECK(eventually([&] { return machine.ready(2); }));
}

TEST_CASE("upgrade: old workers serve until the new ones are ready", "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    std::ofstream(machine.folder() / "data/stuck") << "x";
    machine.master().signal(SIGUSR2);
    REQUIRE(eventually([&] { return machine.logged("old workers drain as soon as"); }));
    REQUIRE(eventually([&] { return children_of(machine.master().pid()).size() == 6; }));
    CHECK(FakeMachine::answering_all(before.port(0), 40) == pids_of(before));
    std::filesystem::remove(machine.folder() / "data/stuck");
    REQUIRE(eventually([&] { return upgraded(machine, before, 2); }));
    CHECK(pids_of(machine.state()).count(before.workers.at(0).pid) == 0);
}

TEST_CASE("upgrade: new workers that crash leave the traffic with the old ones", "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    std::ofstream(machine.folder() / "data/crash") << "x";
    machine.master().signal(SIGUSR2);
    REQUIRE(eventually([&] { return machine.logged("started again in 200 ms"); }));
    CHECK(FakeMachine::answering_all(before.port(0), 40) == pids_of(before));
    CHECK(alive(before.number("control")));
    std::filesystem::remove(machine.folder() / "data/crash");
    CHECK(eventually([&] { return upgraded(machine, before, 2); }));
}

TEST_CASE("upgrade: listeners and workers of the new plan come with the new binary", "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    machine.configure("workers 3\nlisten a 127.0.0.1 0\nlisten b 127.0.0.1 0\n");
    machine.master().signal(SIGUSR2);
    REQUIRE(eventually([&] { return upgraded(machine, before, 3); }));
    const MachineState after = machine.state();
    CHECK(after.port(0) == before.port(0));
    CHECK(eventually([&] { return FakeMachine::answering_all(after.port(1), 40) == pids_of(after); }));
}

TEST_CASE("upgrade: a plan that cannot be carried out leaves the old processes, a better one is taken later",
          "[process][upgrade]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    std::uint16_t taken = 0;
    const UniqueFd other = listen_on_free_port(taken);
    machine.configure("workers 2\nlisten a 127.0.0.1 0\nlisten b 127.0.0.1 " + std::to_string(taken) + "\n");
    machine.master().signal(SIGUSR2);
    REQUIRE(
        eventually([&] { return machine.logged("new binary: cannot listen on 127.0.0.1:" + std::to_string(taken)); }));
    CHECK(eventually([&] { return machine.state()["note"].find("the old processes serve on") != std::string::npos; }));
    CHECK(FakeMachine::answering_all(before.port(0), 20) == pids_of(before));
    machine.configure("workers 2\nlisten a 127.0.0.1 0\n");
    CHECK(eventually([&] { return upgraded(machine, before, 2); }, milliseconds(10000)));
}
