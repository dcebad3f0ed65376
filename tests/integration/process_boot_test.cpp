// What stands around the master: start-up errors, second instances, root, process 1, systemd.
#include <pwd.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/fake_machine.hpp"
#include "tests/support/gateway_process.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

constexpr const char* one_worker = "workers 1\nlisten a 127.0.0.1 0\n";

// Exit status 1 and `text` among what was printed.
bool refuses(FakeMachine& machine, const std::string& text) {
    machine.start();
    const bool refused = machine.master().wait() == 1 && machine.logged(text);
    if (!refused) UNSCOPED_INFO(machine.log());
    return refused;
}

// A socket as systemd offers it.
class NotifySocket {
public:
    explicit NotifySocket(const std::filesystem::path& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path.c_str());
        REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    // Whether a message holding `text` has come until now, or comes.
    bool hears(const std::string& text, milliseconds limit = milliseconds(5000)) {
        return eventually(
            [&] {
                char block[1024];
                for (ssize_t size = 0; (size = ::recv(fd_.get(), block, sizeof block, MSG_DONTWAIT)) > 0;) {
                    heard_ += std::string(block, static_cast<std::size_t>(size)) + "\n--\n";
                }
                const std::size_t at = heard_.find(text);
                if (at != std::string::npos) heard_.erase(0, at + text.size());
                return at != std::string::npos;
            },
            limit);
    }

private:
    UniqueFd fd_;
    std::string heard_;
};

}  // namespace

TEST_CASE("boot: a static file that control refuses ends the start with its text", "[process][boot]") {
    FakeMachine machine("broken\n");
    CHECK(refuses(machine, "file is bad"));
}

TEST_CASE("boot: a plan that is wrong ends the start with its reason", "[process][boot]") {
    FakeMachine machine("workers 0\n");
    CHECK(refuses(machine, "worker_processes: expected 1 to 128"));
}

TEST_CASE("boot: a second instance on the same data directory names the first", "[process][boot]") {
    FakeMachine machine(one_worker);
    REQUIRE(machine.start_ready(1));
    Process second({(machine.folder() / "gw").string(), (machine.folder() / "file").string()},
                   machine.folder() / "second");
    CHECK(second.wait() == 1);
    CHECK(second.output().find("another gateway (pid " + std::to_string(machine.master().pid()) + ") holds " +
                               (machine.folder() / "data/lock").string()) != std::string::npos);
    CHECK(machine.ready(1));
}

TEST_CASE("boot: a second instance on the same address is refused by its name", "[process][boot]") {
    FakeMachine first(one_worker);
    REQUIRE(first.start_ready(1));
    const std::string port = std::to_string(first.state().port(0));
    FakeMachine second("workers 1\nlisten a 127.0.0.1 " + port + "\n");
    CHECK(refuses(second, "cannot listen on 127.0.0.1:" + port));
    CHECK_FALSE(std::filesystem::exists(second.socket_path()));
    CHECK(FakeMachine::answering(first.state().port(0)) > 0);
}

TEST_CASE("boot: a stale control socket is replaced, a file in its place is not", "[process][boot]") {
    FakeMachine machine(one_worker);
    SECTION("left by a killed master") {
        REQUIRE(machine.start_ready(1));
        machine.master().kill();
        REQUIRE(std::filesystem::exists(machine.socket_path()));
        CHECK(machine.start_ready(1));
        struct stat status = {};
        REQUIRE(::stat(machine.socket_path().c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
    }
    SECTION("no socket") {
        std::ofstream(machine.socket_path()) << "precious";
        CHECK(refuses(machine, "is not a socket"));
        CHECK(machine.folder().read("gw.sock") == "precious");
    }
}

TEST_CASE("boot: files that cannot be used are named with owner and mode", "[process][boot]") {
    FakeMachine machine("");
    std::filesystem::create_directory(machine.folder() / "closed");
    machine.configure(std::string(one_worker) + "access_log " + (machine.folder() / "closed").string() + "\n");
    CHECK(refuses(machine, "cannot write to log " + (machine.folder() / "closed").string() + " (owner "));
}

TEST_CASE("boot: the status listener is open and its port known", "[process][boot]") {
    FakeMachine machine(std::string(one_worker) + "status 127.0.0.1 0\n");
    REQUIRE(machine.start_ready(1));
    CHECK_NOTHROW(connect_to(static_cast<std::uint16_t>(machine.state().number("status_port"))));
}

TEST_CASE("boot: TERM before there is a plan ends the start", "[process][boot]") {
    FakeMachine machine(one_worker);
    std::filesystem::create_directory(machine.folder() / "data");
    std::ofstream(machine.folder() / "data/mute") << "x";
    machine.start();
    REQUIRE(eventually([&] { return children_of(machine.master().pid()).size() == 1; }));
    machine.master().signal(SIGTERM);
    CHECK(machine.master().wait() == 0);
}

TEST_CASE("boot: children have no rights beyond their own and only the descriptors they need", "[process][boot]") {
    FakeMachine machine(std::string(one_worker) + "open_files 3000\n");
    REQUIRE(machine.start_ready(1));
    for (const std::string& rights :
         {FakeMachine::ask(machine.state().port(0), "rights\n"), machine.ask_control("rights\n")}) {
        CHECK(rights.find("NoNewPrivs:\t1") != std::string::npos);
        CHECK(rights.find("death signal 9") != std::string::npos);
    }
    const std::string worker = FakeMachine::ask(machine.state().port(0), "rights\n");
    CHECK(worker.find("open files ") != std::string::npos);
    // 0, 1, 2, segment, channel, listener, the client, and the file that is read to tell.
    CHECK(worker.find("descriptors 8\n") != std::string::npos);
}

TEST_CASE("boot: root becomes the user of the plan for good and hands over what it needs", "[process][boot]") {
    if (::geteuid() != 0) return;
    const passwd* nobody = ::getpwnam("nobody");
    REQUIRE(nobody);
    FakeMachine machine("");
    const std::string uid = std::to_string(nobody->pw_uid);
    machine.configure(std::string(one_worker) + "uid " + uid + "\naccess_log " +
                      (machine.folder() / "logs/access.log").string() + "\n");
    ::chmod(machine.folder().path().c_str(), 0755);
    SECTION("file readable by that user") {
        REQUIRE(machine.start_ready(1));
        const int port = machine.state().port(0);
        for (const std::string& rights : {FakeMachine::ask(port, "rights\n"), machine.ask_control("rights\n")}) {
            CHECK(rights.find("Uid:\t" + uid + "\t" + uid + "\t" + uid + "\t" + uid) != std::string::npos);
            CHECK(rights.find("CapBnd:\t0000000000000000") != std::string::npos);
            CHECK(rights.find("CapEff:\t0000000000000000") != std::string::npos);
            CHECK(rights.find("death signal 9") != std::string::npos);
        }
        for (const char* path : {"data", "gw.sock", "logs", "logs/access.log"}) {
            struct stat status = {};
            REQUIRE(::stat((machine.folder() / path).c_str(), &status) == 0);
            CHECK(status.st_uid == nobody->pw_uid);
        }
        std::filesystem::remove(machine.folder() / "logs/access.log");
        machine.master().signal(SIGUSR1);
        CHECK(eventually([&] {
            FakeMachine::ask(port, "log\n");
            return machine.folder().read("logs/access.log").find("line") == 0;
        }));
        const MachineState before = machine.state();
        machine.master().signal(SIGUSR2);
        REQUIRE(eventually([&] { return machine.state()["note"].find("new binary serves") == 0; }));
        CHECK(FakeMachine::ask(port, "rights\n").find("Uid:\t" + uid) != std::string::npos);
    }
    SECTION("file readable by root only") {
        ::chmod((machine.folder() / "file").c_str(), 0600);
        CHECK(refuses(machine, "file is bad"));
    }
    SECTION("data directory of somebody else") {
        std::filesystem::create_directory(machine.folder() / "data");
        std::ofstream(machine.folder() / "data/letter") << "private";
        CHECK(refuses(machine, "expected it to belong to user nobody"));
    }
}

TEST_CASE("boot: works as process 1 and reaps orphans", "[process][boot]") {
    Process probe({"unshare", "-pf", "--mount-proc", "true"}, "/dev/null");
    if (probe.wait() != 0) return;
    FakeMachine machine(one_worker);
    machine.start({}, {"unshare", "-pf", "--kill-child"});
    REQUIRE(eventually([&] { return machine.ready(1); }));
    const std::vector<pid_t> first = children_of(machine.master().pid());
    REQUIRE(first.size() == 1);
    CHECK(machine.folder().read("data/lock") == "1\n");
    const MachineState before = machine.state();
    for (const pid_t child : children_of(first[0])) ::kill(child, SIGKILL);
    CHECK(
        eventually([&] { return machine.ready(1) && machine.state().number("control") != before.number("control"); }));
    ::kill(first[0], SIGTERM);
    CHECK(machine.master().wait() == 0);
}

TEST_CASE("boot: systemd hears READY, RELOADING, STATUS, WATCHDOG and STOPPING", "[process][boot][sd_notify]") {
    FakeMachine machine;
    NotifySocket socket(machine.folder() / "notify");
    REQUIRE(
        machine.start_ready(2, {"NOTIFY_SOCKET=" + (machine.folder() / "notify").string(), "WATCHDOG_USEC=200000"}));
    CHECK(socket.hears("READY=1\nMAINPID=" + std::to_string(machine.master().pid()) +
                       "\nSTATUS=2 of 2 workers ready, revision 0"));
    CHECK(socket.hears("WATCHDOG=1"));
    machine.master().signal(SIGHUP);
    CHECK(socket.hears("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(socket.hears("READY=1"));
    CHECK(socket.hears("revision 2"));
    const MachineState state = machine.state();
    for (const auto& [slot, worker] : state.workers) machine.pause(worker.pid);
    CHECK(socket.hears("STATUS=0 of 2 workers ready"));
    CHECK_FALSE(socket.hears("WATCHDOG=1", milliseconds(400)));
    machine.resume_stopped();
    CHECK(socket.hears("WATCHDOG=1"));
    machine.master().signal(SIGQUIT);
    CHECK(socket.hears("STOPPING=1"));
    CHECK(machine.master().wait() == 0);
}

TEST_CASE("boot: the status for systemd names the revision in force, however it came", "[process][boot][sd_notify]") {
    TempDir folder;
    NotifySocket socket(folder / "notify");
    GatewayOptions options;
    options.environment.push_back("NOTIFY_SOCKET=" + (folder / "notify").string());
    GatewayProcess gateway(options);
    CHECK(socket.hears("1 of 1 workers ready, revision 1"));
    REQUIRE(gateway.put("upstream", "1", R"({"type": "roundrobin", "nodes": {"127.0.0.1:9": 1}})").exit == 0);
    CHECK(socket.hears("STATUS=1 of 1 workers ready, revision 2"));
}
