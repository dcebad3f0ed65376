// Worked examples of tcp-logger, udp-logger, syslog and file-logger.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "libgateway/base/path_facts.hpp"
#include "tests/plugins/refusal.hpp"
#include "tests/support/alloc_count.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/logger_story.hpp"
#include "tests/support/scripted_upstream.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls_front.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

// Everything one TCP guest sends.
struct TcpCollector : Logged {
    std::mutex mutex;
    std::vector<std::string> texts;
    ScriptedUpstream collector{ScriptedUpstream::Raw{}, [this](Connection& guest) {
                                   const std::string text = guest.read_to_end();
                                   const std::lock_guard lock(mutex);
                                   texts.push_back(text);
                               }};
    std::string text(std::size_t index = 0) {
        REQUIRE(rig.until([&] {
            const std::lock_guard lock(mutex);
            return texts.size() > index;
        }));
        const std::lock_guard lock(mutex);
        return texts[index];
    }
};

class UdpPort {
public:
    UdpPort() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port = ntohs(address.sin_port);
    }
    // The next datagram, if it is there.
    bool take(std::string& text) {
        text.resize(70'000);
        const ssize_t got = ::recv(socket_.get(), text.data(), text.size(), MSG_DONTWAIT);
        text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return got >= 0;
    }
    std::uint16_t port = 0;

private:
    UniqueFd socket_;
};

std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::vector<std::string> all;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
}

// Root may write everything: a test of rights is somebody else for a while.
class Unprivileged {
public:
    Unprivileged() {
        if (was_root_) REQUIRE(::seteuid(65534) == 0);
    }
    Unprivileged(const Unprivileged&) = delete;
    Unprivileged& operator=(const Unprivileged&) = delete;
    ~Unprivileged() {
        if (was_root_) static_cast<void>(::seteuid(0));
    }

private:
    const bool was_root_ = ::geteuid() == 0;
};

struct FileStory : Logged {
    TempDir folder;
    void start(const std::string& members, std::string_view metadata = {}) {
        if (!metadata.empty()) plugins.metadata["file-logger"] = json::parse(metadata);
        configure("file-logger", members);
    }
    std::vector<std::string> written(std::size_t count, const char* name = "a.log") {
        rig.dispatch.log_thread().flush();
        REQUIRE(rig.until([&] { return lines_of(folder / name).size() >= count; }));
        return lines_of(folder / name);
    }
    std::string path(const char* name = "a.log") const { return R"("path":")" + (folder / name).string() + '"'; }
};

std::uint16_t closed_port() {
    std::uint16_t port = 0;
    listen_on_free_port(port);
    return port;
}

}  // namespace

TEST_CASE("tcp-logger: one object, then the end (TU1)", "[plugins][tcp_logger]") {
    TcpCollector story;
    story.configure("tcp-logger",
                    with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":1})", story.collector.port()));
    story.ask();
    CHECK(text_at(json::parse(story.text()), {"route_id"}) == "1");
}

TEST_CASE("tcp-logger: an array of two (TU2)", "[plugins][tcp_logger]") {
    TcpCollector story;
    story.configure("tcp-logger",
                    with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":2})", story.collector.port()));
    story.ask();
    story.ask();
    CHECK(json::parse(story.text()).items().size() == 2);
}

TEST_CASE("tcp-logger: nobody there (TU3)", "[plugins][tcp_logger]") {
    Logged story;
    const std::uint16_t port = closed_port();
    story.configure(
        "tcp-logger",
        with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":1,"max_retry_count":1,"retry_delay":0})", port));
    story.ask();
    REQUIRE(story.rig.until([&] { return story.said("dropping the entries"); }));
    CHECK(story.count("Batch Processor[tcp logger] failed to process entries: failed to connect to TCP server: "
                      "host[127.0.0.1] port[" +
                      std::to_string(port) + "] err: connection refused") == 2);
}

TEST_CASE("tcp-logger: over TLS all of it arrives, whoever vouches for the collector", "[plugins][tcp_logger]") {
    TcpCollector story;
    TestAuthority stranger;
    TlsFront front(stranger.issue("DNS:other.test"), story.collector.port());
    const std::string name = GENERATE("", "logs.test");
    story.configure("tcp-logger", with_port(R"({"host":"127.0.0.1","port":%,"tls":true,"batch_max_size":50,)"
                                            R"("inactive_timeout":60,"timeout":5000)" +
                                                (name.empty() ? "}" : R"(,"tls_options":")" + name + "\"}"),
                                            front.port()));
    for (int i = 0; i < 100; ++i) story.ask("/" + std::string(1000, 'a'));
    CHECK(json::parse(story.text(0)).items().size() == 50);
    CHECK(json::parse(story.text(1)).items().size() == 50);
    REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    CHECK(front.last_name() == name);
    CHECK(front.goodbyes() == 2);
}

TEST_CASE("tcp-logger: a collector without TLS is told by its reason", "[plugins][tcp_logger]") {
    Logged story;
    ScriptedUpstream plain(ScriptedUpstream::Raw{}, [](Connection& guest) {
        guest.send("hello, who is there?\n");
        guest.fill();
    });
    story.configure("tcp-logger",
                    with_port(R"({"host":"127.0.0.1","port":%,"tls":true,"batch_max_size":1})", plain.port()));
    story.ask();
    REQUIRE(story.rig.until([&] { return story.said("dropping the entries"); }));
    CHECK(story.said("failed to perform TLS handshake to TCP server: host[127.0.0.1] port[" +
                     std::to_string(plain.port()) + "] err: TLS: wrong version number"));
}

TEST_CASE("udp-logger: one datagram (TU4)", "[plugins][udp_logger]") {
    UdpPort port;
    Logged story;
    story.configure("udp-logger", with_port(R"({"host":"127.0.0.1","port":%,"batch_max_size":1})", port.port));
    story.ask();
    std::string text;
    REQUIRE(story.rig.until([&] { return port.take(text); }));
    CHECK(text_at(json::parse(text), {"route_id"}) == "1");
    story.ask("/" + std::string(70'000, 'a'));
    CHECK(story.rig.until([&] { return story.said("message larger than a datagram"); }));
}

TEST_CASE("udp-logger: a port is a number that exists (TU6)", "[plugins][udp_logger]") {
    CHECK(refusal("udp-logger", R"({"host":"h","port":-1})") ==
          "property \"port\" validation failed: expected -1 to be at least 0");
    CHECK(refusal("udp-logger", R"({"host":"h"})") == "property \"port\" is required");
}

TEST_CASE("syslog: one line of RFC 5424 (SY1)", "[plugins][syslog]") {
    TcpCollector story;
    story.configure("syslog", with_port(R"({"host":"127.0.0.1","port":%,"flush_limit":1,"batch_max_size":1})",
                                        story.collector.port()));
    story.ask();
    REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    story.chain = nullptr;
    story.plugins = TestChain();
    const std::string text = story.text();
    const std::string begin =
        "<46>1 2027-01-19T03:14:07.000Z localhost apisix " + std::to_string(::getpid()) + " - - {";
    CHECK(text.substr(0, begin.size()) == begin);
    CHECK(text.ends_with("}\n"));
}

TEST_CASE("syslog: over TLS one connection stays", "[plugins][syslog]") {
    TcpCollector story;
    TestAuthority stranger;
    TlsFront front(stranger.issue("DNS:other.test"), story.collector.port());
    story.configure(
        "syslog",
        with_port(R"({"host":"127.0.0.1","port":%,"tls":true,"flush_limit":1,"batch_max_size":1})", front.port()));
    for (int i = 0; i < 3; ++i) {
        story.ask();
        REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    }
    story.chain = nullptr;
    story.plugins = TestChain();
    const std::string text = story.text();
    CHECK(std::count(text.begin(), text.end(), '\n') == 3);
    CHECK(front.accepted() == 1);
}

TEST_CASE("syslog: a batch is sent at once (SY2)", "[plugins][syslog]") {
    TcpCollector story;
    story.configure(
        "syslog", with_port(R"({"host":"127.0.0.1","port":%,"flush_limit":1,"batch_max_size":3,"inactive_timeout":1})",
                            story.collector.port()));
    for (int i = 0; i < 3; ++i) story.ask();
    REQUIRE(story.rig.until([&] { return !story.rig.dispatch.busy(); }));
    story.chain = nullptr;
    story.plugins = TestChain();
    const std::string text = story.text();
    CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("syslog: datagrams (SY3)", "[plugins][syslog]") {
    UdpPort port;
    Logged story;
    story.configure(
        "syslog",
        with_port(R"({"host":"127.0.0.1","port":%,"sock_type":"udp","flush_limit":1,"batch_max_size":2})", port.port));
    story.ask();
    story.ask();
    std::string first, second;
    REQUIRE(story.rig.until([&] { return port.take(first); }));
    REQUIRE(story.rig.until([&] { return port.take(second); }));
    CHECK(first.substr(0, 5) == "<46>1");
    CHECK(std::count(second.begin(), second.end(), '\n') == 1);
}

TEST_CASE("syslog: a server that is away costs entries, not requests (SY4)", "[plugins][syslog]") {
    Logged story;
    story.configure("syslog",
                    with_port(R"({"host":"127.0.0.1","port":%,"drop_limit":100,"batch_max_size":1})", closed_port()));
    for (int i = 0; i < 5; ++i) story.ask();
    CHECK(story.rig.until([&] { return story.said("entries dropped, more than drop_limit[100] bytes wait"); }));
}

TEST_CASE("file-logger: a line for each request (FL1)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + "}");
    for (int i = 0; i < 3; ++i) story.ask();
    const auto lines = story.written(3);
    REQUIRE(lines.size() == 3);
    CHECK(text_at(json::parse(lines[2]), {"response", "status"}) == "200");
}

TEST_CASE("file-logger: numbers are numbers (FL2)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() +
                R"(,"log_format":{"s":"$status","p":"$remote_port","m":"$upstream_response_time"}})");
    story.ask("/hello", [](FakeExchange& exchange) { exchange.variables["upstream_response_time"] = "0.001, 0.002"; });
    CHECK(story.written(1).at(0) == R"({"s":200,"p":"0","m":"0.001, 0.002","route_id":"1"})");
}

TEST_CASE("file-logger: only what matches (FL3)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + R"(,"match":[[["arg_name","==","jack"]]],"log_format":{"a":"$arg_name"}})");
    story.ask("/hello?name=rose");
    story.ask("/hello?name=jack");
    const auto lines = story.written(1);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] == R"({"a":"jack","route_id":"1"})");
    CHECK(refusal("file-logger", R"({"path":"/p","match":[[["a","?","b"]]]})") ==
          "failed to validate the 'match' expression: invalid operator '?'");
}

TEST_CASE("file-logger: the path of the metadata (FL4)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{}", "{" + story.path() + "}");
    story.ask();
    CHECK(story.written(1).size() == 1);
}

TEST_CASE("file-logger: no path at all (FL5)", "[plugins][file_logger]") {
    FileStory story;
    try {
        story.start("{}");
        FAIL("it was built");
    } catch (const config::Error& error) {
        CHECK(std::string(error.what()) == "property \"path\" is not set in either the plugin conf or the metadata");
    }
}

TEST_CASE("file-logger: a file that was renamed is made anew (FL6)", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + "}");
    story.ask();
    REQUIRE(story.written(1).size() == 1);
    std::filesystem::rename(story.folder / "a.log", story.folder / "b.log");
    story.rig.dispatch.reopen_files();
    story.ask();
    CHECK(story.written(1).size() == 1);
    CHECK(lines_of(story.folder / "b.log").size() == 1);
}

// Four workers that write into one file are a story of tests/integration/metrics_test.cpp (FL7).
TEST_CASE("file-logger: a path that cannot be opened is said once a second, requests go on (FL8)",
          "[plugins][file_logger]") {
    FileStory story;
    story.start(R"({"path":"/nowhere/at/all/a.log"})");
    for (int i = 0; i < 5; ++i) story.ask();
    CHECK(story.count("failed to open file: /nowhere/at/all/a.log, error info: No such file or directory") == 1);
}

TEST_CASE("file-logger: a file that may not be written is named with owner, mode and user", "[plugins][file_logger]") {
    FileStory story;
    const std::string path = story.folder.write("a.log", "").string();
    std::filesystem::permissions(story.folder.path(), std::filesystem::perms(0755));
    std::filesystem::permissions(path, std::filesystem::perms(0400));
    const std::string file = describe_path(path);
    story.start("{" + story.path() + "}");
    {
        const Unprivileged somebody;
        story.ask();
        const std::string reason = "; directory " + describe_path(story.folder.path().string()) + "; this is ";
        CHECK(story.said("failed to open file: " + path + ", error info: Permission denied; " + file + reason +
                         user_text(::geteuid())));
    }
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    story.rig.dispatch.reopen_files();
    story.ask();
    CHECK(story.written(1).size() == 1);
}

TEST_CASE("file-logger: a file that cannot be opened again stays the one in use", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + "}");
    story.ask();
    REQUIRE(story.written(1).size() == 1);
    std::filesystem::rename(story.folder / "a.log", story.folder / "b.log");
    std::filesystem::create_directory(story.folder / "a.log");
    story.rig.dispatch.reopen_files();
    CHECK(story.said("a.log, error info: Is a directory"));
    story.ask();
    CHECK(story.written(2, "b.log").size() == 2);
}

TEST_CASE("file-logger: a warm line costs no allocation", "[plugins][file_logger]") {
    FileStory story;
    story.start("{" + story.path() + "}");
    FakeExchange exchange;
    exchange.own_services.own_dispatch = &story.rig.dispatch;
    const auto log = [&] { return story.chain->run<Phase::log>(exchange).ready(); };
    for (int i = 0; i < 3; ++i) REQUIRE(log());
    exchange.arena().reset();
    const AllocCount count;
    REQUIRE(log());
    CHECK(count.count() == 0);
}
