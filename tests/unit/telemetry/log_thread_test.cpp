#include "libgateway/telemetry/log_thread.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <regex>
#include <string>

#include "libgateway/telemetry/error_log.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::telemetry;

namespace {

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }
    UniqueFd read, write;
};

// Waits for bytes; empty at the end.
std::string read_some(int fd) {
    std::string text(65536, '\0');
    const ssize_t size = ::read(fd, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

std::string read_all(int fd) {
    std::string text, more;
    do {
        more = read_some(fd);
        text += more;
    } while (!more.empty());
    return text;
}

constexpr Milliseconds patience{20000};

}  // namespace

TEST_CASE("log thread: what is in the ring is written at stop", "[telemetry][log_thread]") {
    Pipe pipe;
    auto ring = std::make_shared<LogRing>(65536);
    LogThread thread;
    thread.add(ring, std::move(pipe.write));
    thread.start();
    std::string expected;
    for (int i = 0; i < 100; ++i) {
        expected += "line " + std::to_string(i) + "\n";
        REQUIRE(ring->write("line " + std::to_string(i) + "\n"));
    }
    REQUIRE(thread.stop(patience));
    REQUIRE(read_some(pipe.read.get()) == expected);
}

TEST_CASE("log thread: lines are written without a stop or a flush", "[telemetry][log_thread]") {
    Pipe pipe;
    auto ring = std::make_shared<LogRing>(65536);
    LogThread thread;
    thread.add(ring, std::move(pipe.write));
    thread.start();
    ring->write("soon\n");
    REQUIRE(read_some(pipe.read.get()) == "soon\n");
}

TEST_CASE("log thread: batches end on a record and are at most 4,096 bytes, but to a file", "[telemetry][log_thread]") {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    UniqueFd reader(ends[0]);
    auto ring = std::make_shared<LogRing>(65536);
    LogThread thread;
    thread.add(ring, UniqueFd(ends[1]));
    for (int i = 0; i < 100; ++i) ring->write(std::string(300, 'a') + "\n");
    thread.start();
    std::size_t total = 0;
    while (total < 100 * 301) {
        const std::string packet = read_some(reader.get());
        REQUIRE(packet.size() <= 4096);
        REQUIRE(packet.back() == '\n');
        REQUIRE(packet.size() > 3500 * (total + 3500 < 100 * 301));
        total += packet.size();
    }
    REQUIRE(total == 100 * 301);
}

TEST_CASE("log thread: a stalled pipe stops neither the producer nor another log", "[telemetry][log_thread]") {
    Pipe stalled, healthy;
    REQUIRE(::fcntl(stalled.write.get(), F_SETPIPE_SZ, 4096) > 0);
    auto first = std::make_shared<LogRing>(8192);
    auto second = std::make_shared<LogRing>(8192);
    LogThread thread;
    thread.add(first, std::move(stalled.write));
    thread.add(second, std::move(healthy.write));
    thread.start();
    const std::string line = std::string(200, 'b') + "\n";
    std::size_t accepted = 0;
    while (first->dropped() < 1000)
        accepted += first->write(line) ? 1 : 0;  // nobody reads: pipe, batch and ring fill up
    second->write("alive\n");
    thread.flush();
    REQUIRE(read_some(healthy.read.get()) == "alive\n");
    REQUIRE_FALSE(thread.stop(Milliseconds(1)));
    const std::string written = read_some(stalled.read.get());
    REQUIRE(written.size() % line.size() == 0);
    REQUIRE(written.size() <= accepted * line.size());
}

TEST_CASE("log thread: a pipe that flows again gets the lines that were kept", "[telemetry][log_thread]") {
    Pipe pipe;
    REQUIRE(::fcntl(pipe.write.get(), F_SETPIPE_SZ, 4096) > 0);
    auto ring = std::make_shared<LogRing>(8192);
    LogThread thread;
    thread.add(ring, std::move(pipe.write));
    thread.start();
    const std::string line = std::string(99, 'c') + "\n";
    std::size_t accepted = 0;
    while (ring->dropped() == 0) accepted += ring->write(line) ? 1 : 0;
    std::size_t got = 0;
    while (got < accepted * line.size()) got += read_some(pipe.read.get()).size();
    REQUIRE(got == accepted * line.size());
    REQUIRE(thread.stop(patience));
}

TEST_CASE("log thread: among messages it tells how many were dropped, behind those that were kept",
          "[telemetry][log_thread]") {
    Pipe pipe;
    auto ring = std::make_shared<LogRing>(8192);
    LogThread thread;
    thread.add(ring, std::move(pipe.write), LogThread::Holds::messages);
    std::size_t accepted = 0;
    while (ring->write(std::string(99, 'd') + "\n")) ++accepted;
    ring->write(std::string(99, 'e') + "\n");
    thread.start();
    std::string text;
    while (text.find("fast enough\n") == std::string::npos) text += read_some(pipe.read.get());
    REQUIRE(text.find(": 2 lines were dropped here") > accepted * 100);
    REQUIRE(text.find('e') > accepted * 100);
    ring->write("later\n");
    REQUIRE(thread.stop(patience));
    REQUIRE(read_some(pipe.read.get()) == "later\n");  // told once
}

TEST_CASE("log thread: reopen sends later lines to the new descriptor and closes the old", "[telemetry][log_thread]") {
    Pipe before, after;
    auto ring = std::make_shared<LogRing>(8192);
    LogThread thread;
    const std::size_t log = thread.add(ring, std::move(before.write));
    thread.start();
    ring->write("old\n");
    REQUIRE(read_some(before.read.get()) == "old\n");
    thread.reopen(log, std::move(after.write));
    REQUIRE(read_all(before.read.get()).empty());
    ring->write("new\n");
    thread.flush();
    REQUIRE(read_some(after.read.get()) == "new\n");
}

TEST_CASE("log thread: a reader that is gone loses lines, not the process", "[telemetry][log_thread]") {
    Pipe pipe;
    pipe.read.reset();
    auto ring = std::make_shared<LogRing>(8192);
    LogThread thread;
    thread.add(ring, std::move(pipe.write));
    thread.start();
    ring->write("into the void\n");
    REQUIRE(thread.stop(patience));
}

TEST_CASE("error log: lines of base/log carry time, level and process", "[telemetry][error_log]") {
    Pipe pipe;
    auto ring = std::make_shared<LogRing>(8192);
    LogThread thread;
    thread.add(ring, std::move(pipe.write));
    install_error_log(*ring);
    log::warn("upstream {} is slow\n", "a");
    log::debug("not at this level");
    log::crit("gone");
    remove_error_log();
    thread.start();
    REQUIRE(thread.stop(patience));
    const std::string text = read_some(pipe.read.get());
    const std::string stamp = R"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )", pid = std::to_string(::getpid());
    INFO(text);
    REQUIRE(std::regex_match(text, std::regex(stamp + R"(\[warn\] )" + pid + R"(: upstream a is slow\\x0a\n)" + stamp +
                                              R"(\[crit\] )" + pid + ": gone\n")));
}
