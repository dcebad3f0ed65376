// The master's life: boot, death of each process, steering, plans, signals.
#include <sys/stat.h>

#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/fake_machine.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

constexpr const char* two_workers = "workers 2\nlisten a 127.0.0.1 0\n";

}  // namespace

TEST_CASE("master: boots workers that answer on the port that port 0 became", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState state = machine.state();
    REQUIRE(state.port(0) > 0);
    std::set<pid_t> expected;
    for (const auto& [slot, worker] : state.workers) expected.insert(worker.pid);
    CHECK(eventually([&] { return FakeMachine::answering_all(state.port(0), 20) == expected; }));
}

TEST_CASE("master: a killed worker is back within a second and no connection fails meanwhile", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    const pid_t victim = before.workers.at(0).pid;
    ::kill(victim, SIGKILL);
    CHECK(
        eventually([&] { return machine.state()["event 0"].find(" 1 ") != std::string::npos; }));  // one death is known
    CHECK(FakeMachine::answering_all(before.port(0), 50).count(0) == 0);
    REQUIRE(eventually([&] { return machine.ready(2); }, milliseconds(1000)));
    const MachineState after = machine.state();
    CHECK(after.workers.at(0).pid != victim);
    CHECK(after.workers.at(1).pid == before.workers.at(1).pid);
    CHECK(after["event 0"].substr(0, 7) == "ready 1");
}

TEST_CASE("master: connections that wait in the queue of a killed worker are served by the next one",
          "[process][master]") {
    FakeMachine machine("workers 1\nlisten a 127.0.0.1 0\n");
    REQUIRE(machine.start_ready(1));
    const MachineState state = machine.state();
    const pid_t victim = state.workers.at(0).pid;
    machine.pause(victim);
    std::vector<Connection> waiting;
    for (int i = 0; i < 10; ++i) {
        waiting.push_back(connect_to(static_cast<std::uint16_t>(state.port(0))));
        waiting.back().send("who\n");
    }
    ::kill(victim, SIGKILL);
    for (Connection& connection : waiting) {
        const std::string answer = connection.read_to_end();
        CHECK_FALSE(answer.empty());
        CHECK(answer.find(std::to_string(victim)) == std::string::npos);
    }
}

TEST_CASE("master: connections that wait in the queue of a retired worker outlive it", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState state = machine.state();
    const pid_t victim = state.workers.at(1).pid, other = state.workers.at(0).pid;
    machine.pause(victim);
    std::vector<Connection> waiting;
    for (int i = 0; i < 20; ++i) {
        waiting.push_back(connect_to(static_cast<std::uint16_t>(state.port(0))));
        waiting.back().send("who\n");
    }
    machine.configure("workers 1\nlisten a 127.0.0.1 0\n");
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.state().workers.at(1).state == "draining"; }));
    ::kill(victim, SIGKILL);
    for (Connection& connection : waiting) CHECK(connection.read_to_end() == "0 " + std::to_string(other) + "\n");
    CHECK(eventually([&] { return machine.ready(1); }));
}

TEST_CASE("master: a killed control is back within a second while traffic goes on", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    ::kill(before.number("control"), SIGKILL);
    CHECK(FakeMachine::answering_all(before.port(0), 20).count(0) == 0);
    REQUIRE(eventually([&] { return machine.state().number("control") > 0 && machine.ready(2); }, milliseconds(1000)));
    const MachineState after = machine.state();
    CHECK(after.number("control") != before.number("control"));
    CHECK(after["respawned"] == "1");
    CHECK(after.port(0) == before.port(0));
    CHECK(after.workers.at(0).pid == before.workers.at(0).pid);
}

TEST_CASE("master: a control that sends no message of ours is replaced", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const int before = machine.state().number("control");
    machine.ask_control("garbage\n");
    CHECK(eventually([&] { return machine.state().number("control") != before && machine.ready(2); }));
    CHECK(machine.logged("no message"));
}

TEST_CASE("master: when it is killed its children end within a second and a new one starts at once",
          "[process][master]") {
    FakeMachine machine("workers 2\nlisten a 127.0.0.1 0\n");
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    machine.configure("workers 2\nlisten a 127.0.0.1 " + std::to_string(before.port(0)) + "\n");
    ::kill(machine.master().pid(), SIGKILL);
    CHECK(eventually([&] { return !alive(before.workers.at(0).pid) && !alive(before.number("control")); },
                     milliseconds(1000)));
    REQUIRE(machine.start_ready());
    CHECK(machine.state().port(0) == before.port(0));
}

TEST_CASE("master: new connections are steered away from a stopped worker within two seconds", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState state = machine.state();
    const pid_t victim = state.workers.at(0).pid, other = state.workers.at(1).pid;
    machine.pause(victim);
    REQUIRE(eventually([&] { return machine.state().workers.at(0).state == "lagging"; }, milliseconds(2000)));
    CHECK(FakeMachine::answering_all(state.port(0), 100) == std::set<pid_t>{other});
    machine.resume_stopped();
    REQUIRE(eventually([&] { return machine.ready(2); }));
    CHECK(eventually([&] { return FakeMachine::answering_all(state.port(0), 10).count(victim) == 1; }));
}

TEST_CASE("master: a crash loop is braked with growing delays and reported", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    std::ofstream(machine.folder() / "data/crash") << "x";
    ::kill(machine.state().workers.at(0).pid, SIGKILL);
    REQUIRE(eventually([&] { return machine.logged("started again in 800 ms (5 in the last minute)"); }));
    CHECK(machine.logged("started again at once (1 in the last minute)"));
    CHECK(machine.logged("started again in 100 ms (2 in the last minute)"));
    CHECK(machine.state()["event 0"].substr(0, 9) == "crashed 5");
    CHECK(FakeMachine::answering(machine.state().port(0)) > 0);
    std::filesystem::remove(machine.folder() / "data/crash");
    CHECK(eventually([&] { return machine.ready(2); }));
}

TEST_CASE("master: HUP during a reload or without control is kept, several become one", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const pid_t control = machine.state().number("control");
    machine.pause(control);
    for (int i = 0; i < 5; ++i) machine.master().signal(SIGHUP);
    machine.resume_stopped();
    REQUIRE(eventually([&] { return machine.state().number("reloads") == 1; }));
    machine.ask_control("abort\n");
    machine.master().signal(SIGHUP);
    CHECK(eventually([&] {
        const MachineState state = machine.state();
        return state.number("control") != control && state.number("reloads") >= 1;
    }));
}

TEST_CASE("master: a reload adds and removes listeners without touching the others", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    machine.configure("workers 2\nlisten a 127.0.0.1 0\nlisten b 127.0.0.1 0\n");
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.state()["result"] == "1 "; }));
    const MachineState added = machine.state();
    CHECK(added.port(0) == before.port(0));
    CHECK(eventually([&] { return FakeMachine::answering_all(added.port(1), 20).size() == 2; }));
    machine.configure("workers 2\nlisten b 127.0.0.1 0\n");
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.state()["result"] == "2 "; }));
    CHECK(machine.state().port(0) == added.port(1));
    CHECK(eventually([&] { return FakeMachine::answering(before.port(0), milliseconds(100)) == 0; },
                     milliseconds(15000)));
    CHECK(FakeMachine::answering_all(added.port(1), 20).count(0) == 0);
    CHECK(machine.state().workers.at(0).pid == before.workers.at(0).pid);
}

TEST_CASE("master: a listener that comes back before it has closed keeps its port", "[process][master]") {
    FakeMachine machine("workers 2\nlisten a 127.0.0.1 0\nlisten b 127.0.0.1 0\n");
    REQUIRE(machine.start_ready());
    const int port = machine.state().port(1);
    const std::string with_b = "workers 2\nlisten a 127.0.0.1 0\nlisten b 127.0.0.1 0\n";
    machine.configure(two_workers);
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.state()["result"] == "1 "; }));
    machine.configure(with_b);
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.state()["result"] == "2 "; }));
    CHECK(machine.state().port(1) == port);
    CHECK(eventually([&] { return FakeMachine::answering_all(port, 20).size() == 2; }));
}

TEST_CASE("master: a plan that cannot be carried out is refused and changes nothing", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    std::uint16_t taken = 0;
    const UniqueFd other = listen_on_free_port(taken);
    machine.configure("workers 3\nlisten a 127.0.0.1 0\nlisten b 127.0.0.1 " + std::to_string(taken) + "\n");
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.state().number("result") == 1; }));
    CHECK(machine.state()["result"].find("cannot listen on 127.0.0.1:" + std::to_string(taken)) != std::string::npos);
    CHECK(machine.ready(2));
    CHECK(FakeMachine::answering_all(before.port(0), 20).count(0) == 0);
    CHECK(machine.state().port(0) == before.port(0));
}

TEST_CASE("master: a reload changes the number of workers, retired ones drain", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    machine.configure("workers 4\nlisten a 127.0.0.1 0\n");
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.ready(4); }));
    CHECK(eventually([&] { return FakeMachine::answering_all(before.port(0), 60).size() == 4; }));
    machine.configure("workers 1\nlisten a 127.0.0.1 0\n");
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.ready(1); }));
    CHECK(machine.state()["event 3"].substr(0, 9) == "stopped 0");
    CHECK(FakeMachine::answering_all(before.port(0), 60) == std::set<pid_t>{before.workers.at(0).pid});
    machine.configure(two_workers);
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.ready(2); }));
    CHECK(eventually([&] { return FakeMachine::answering_all(before.port(0), 20).size() == 2; }));
}

TEST_CASE("master: no connection breaks while workers come and go", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const int port = machine.state().port(0);
    for (int round = 1; round <= 6; ++round) {
        const std::size_t workers = round % 2 == 0 ? 1 : 3;
        machine.configure("workers " + std::to_string(workers) + "\nlisten a 127.0.0.1 0\n");
        machine.master().signal(SIGHUP);
        bool all_answered = true;
        CHECK(eventually([&] {
            all_answered = all_answered && FakeMachine::answering(port) > 0;
            return machine.ready(workers);
        }));
        CHECK(all_answered);
    }
}

TEST_CASE("master: TERM and INT stop fast, QUIT drains, and nothing is left behind", "[process][master]") {
    const int number = GENERATE(SIGTERM, SIGINT, SIGQUIT);
    FakeMachine machine("workers 2\nlisten a 127.0.0.1 0\npid_file /dev/null/none\n");
    machine.configure("workers 2\nlisten a 127.0.0.1 0\npid_file " + (machine.folder() / "pid").string() + "\n");
    REQUIRE(machine.start_ready());
    const MachineState state = machine.state();
    CHECK(machine.folder().read("pid") == std::to_string(machine.master().pid()) + "\n");
    machine.master().signal(number);
    REQUIRE(machine.master().wait() == 0);
    CHECK_FALSE(alive(state.workers.at(0).pid));
    CHECK_FALSE(alive(state.number("control")));
    CHECK_FALSE(std::filesystem::exists(machine.socket_path()));
    CHECK_FALSE(std::filesystem::exists(machine.folder() / "pid"));
}

TEST_CASE("master: QUIT serves what waits in the queues before it ends", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState state = machine.state();
    for (const auto& [slot, worker] : state.workers) machine.pause(worker.pid);
    std::vector<Connection> waiting;
    for (int i = 0; i < 10; ++i) {
        waiting.push_back(connect_to(static_cast<std::uint16_t>(state.port(0))));
        waiting.back().send("who\n");
    }
    machine.master().signal(SIGQUIT);
    machine.resume_stopped();
    for (Connection& connection : waiting) CHECK_FALSE(connection.read_to_end().empty());
    CHECK(machine.master().wait() == 0);
}

TEST_CASE("master: a worker that ignores the drain limit is killed", "[process][master]") {
    FakeMachine machine("workers 1\ntimeout 100\nlisten a 127.0.0.1 0\n");
    REQUIRE(machine.start_ready(1));
    machine.pause(machine.state().workers.at(0).pid);
    machine.master().signal(SIGQUIT);
    CHECK(machine.master().wait() == 0);
    CHECK(machine.logged("did not end in time"));
}

TEST_CASE("master: control may ask for stop, quit and new log files", "[process][master]") {
    FakeMachine machine("");
    const std::string lines = "workers 1\nlisten a 127.0.0.1 0\nerror_log " +
                              (machine.folder() / "error.log").string() + "\naccess_log " +
                              (machine.folder() / "logs/access.log").string() + "\n";
    machine.configure(lines);
    REQUIRE(machine.start_ready(1));
    const int port = machine.state().port(0);
    CHECK(machine.state().number("reopened") == 1);
    FakeMachine::ask(port, "log\n");
    CHECK(machine.folder().read("logs/access.log") == "line\n");
    std::filesystem::rename(machine.folder() / "logs/access.log", machine.folder() / "logs/old");
    SECTION("by control") {
        machine.ask_control("reopen\n");
    }
    SECTION("by signal") {
        machine.master().signal(SIGUSR1);
    }
    REQUIRE(eventually([&] { return machine.state().number("reopened") == 2; }));
    REQUIRE(eventually([&] {
        FakeMachine::ask(port, "log\n");
        return !machine.folder().read("logs/access.log").empty();
    }));
    machine.ask_control("quit\n");
    CHECK(machine.master().wait() == 0);
    CHECK(machine.folder().read("error.log").find("graceful stop") != std::string::npos);
}

TEST_CASE("master: a listener whose settings change keeps its sockets", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    const MachineState before = machine.state();
    machine.configure("workers 2\nlisten a 127.0.0.1 0 1\n");
    machine.master().signal(SIGHUP);
    bool all_answered = true;
    REQUIRE(eventually([&] {
        all_answered = all_answered && FakeMachine::answering(before.port(0)) > 0;
        return machine.state()["result"] == "1 ";
    }));
    CHECK(all_answered);
    CHECK(machine.state().port(0) == before.port(0));
    CHECK(FakeMachine::answering_all(before.port(0), 40).count(0) == 0);
}

TEST_CASE("master: settings that need a restart keep their values and are named", "[process][master]") {
    FakeMachine machine;
    REQUIRE(machine.start_ready());
    machine.configure("workers 3\nlisten a 127.0.0.1 0\nstatus 127.0.0.1 0\npid_file /no/such/place\n");
    machine.master().signal(SIGHUP);
    REQUIRE(eventually([&] { return machine.ready(3); }));
    CHECK(machine.logged("take effect after a restart: pid_file, apisix.status"));
    CHECK(machine.state()["status_port"] == "0");
}
