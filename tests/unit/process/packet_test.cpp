#include "libgateway/process/packet.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "tests/support/catch.hpp"

using namespace gateway;
using namespace gateway::process;

namespace {

struct Pair {
    UniqueFd near, far;
    Pair() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        near.reset(ends[0]);
        far.reset(ends[1]);
    }
};

template <class Head>
Head head_of(std::uint32_t type, std::uint64_t number) {
    Head head;
    head.type = type;
    head.number = number;
    return head;
}

int open_descriptors() {
    int count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0;
    return count;
}

}  // namespace

TEST_CASE("packet: head, body and descriptors arrive together", "[process][packet]") {
    Pair pair;
    MasterHead head = head_of<MasterHead>(7, 42);
    REQUIRE(head.text.assign("why"));
    Resources body;
    body.ports[3] = 8080;
    int pipe_ends[2];
    REQUIRE(::pipe2(pipe_ends, 0) == 0);
    const UniqueFd read_end(pipe_ends[0]), write_end(pipe_ends[1]);
    REQUIRE(send_packet(pair.near.get(), head, bytes_of(body), pipe_ends) == PacketStatus::done);

    PacketReader<MasterHead> reader;
    REQUIRE(reader.receive(pair.far.get()) == PacketStatus::done);
    CHECK(reader.head().type == 7);
    CHECK(reader.head().number == 42);
    CHECK(reader.head().text.view() == "why");
    Resources received;
    REQUIRE(reader.body_as(received));
    CHECK(received.ports[3] == 8080);
    REQUIRE(reader.fd_count() == 2);
    const UniqueFd copy = reader.take_fd(0);
    struct stat sent = {};
    struct stat got = {};
    ::fstat(read_end.get(), &sent);
    ::fstat(copy.get(), &got);
    CHECK(sent.st_ino == got.st_ino);
    CHECK((::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_FALSE(reader.take_fd(0));
    CHECK_FALSE(reader.take_fd(2));
    WorkerEvent wrong;
    CHECK_FALSE(reader.body_as(wrong));
}

TEST_CASE("packet: an empty socket answers again, a closed one closed", "[process][packet]") {
    Pair pair;
    PacketReader<MasterHead> reader;
    CHECK(reader.receive(pair.far.get()) == PacketStatus::again);
    REQUIRE(send_packet(pair.near.get(), head_of<MasterHead>(1, 0)) == PacketStatus::done);
    pair.near.reset();
    CHECK(reader.receive(pair.far.get()) == PacketStatus::done);
    CHECK(reader.receive(pair.far.get()) == PacketStatus::closed);
    CHECK(send_packet(pair.far.get(), head_of<MasterHead>(1, 0)) == PacketStatus::closed);
}

TEST_CASE("packet: sending to one who does not read answers again instead of blocking", "[process][packet]") {
    Pair pair;
    const std::vector<std::byte> body(60 * 1024);
    PacketStatus status = PacketStatus::done;
    for (int i = 0; i < 1000 && status == PacketStatus::done; ++i) {
        status = send_packet(pair.near.get(), head_of<ChannelHead>(301, 1), body);
    }
    CHECK(status == PacketStatus::again);
}

TEST_CASE("packet: the largest packet passes and a larger one is refused before it is sent", "[process][packet]") {
    Pair pair;
    const std::vector<std::byte> body(max_packet - sizeof(ChannelHead), std::byte{5});
    REQUIRE(send_packet(pair.near.get(), head_of<ChannelHead>(301, 1), body) == PacketStatus::done);
    PacketReader<ChannelHead> reader;
    REQUIRE(reader.receive(pair.far.get()) == PacketStatus::done);
    CHECK(std::equal(body.begin(), body.end(), reader.body().begin(), reader.body().end()));
    const std::vector<std::byte> larger(body.size() + 1);
    CHECK(send_packet(pair.near.get(), head_of<ChannelHead>(301, 1), larger) == PacketStatus::broken);
    CHECK(reader.receive(pair.far.get()) == PacketStatus::again);
}

TEST_CASE("packet: bytes that are no packet are refused and their descriptors closed", "[process][packet]") {
    Pair pair;
    MasterHead head = head_of<MasterHead>(1, 1);
    std::vector<std::byte> bytes;
    SECTION("shorter than a head") {
        bytes.assign(sizeof head - 1, std::byte{0});
    }
    SECTION("size of the body too large") {
        head.size = 9;
        bytes.assign(bytes_of(head).begin(), bytes_of(head).end());
    }
    SECTION("body beyond its size") {
        bytes.assign(bytes_of(head).begin(), bytes_of(head).end());
        bytes.push_back(std::byte{1});
    }
    SECTION("text without an end") {
        head.text.bytes.fill('x');
        bytes.assign(bytes_of(head).begin(), bytes_of(head).end());
    }
    SECTION("longer than a packet may be") {
        bytes.assign(max_packet + 1, std::byte{0});
    }
    PacketReader<MasterHead> reader;
    const int before = open_descriptors();
    const int fds[] = {0, 1, 2};
    REQUIRE(send_bytes(pair.near.get(), bytes, {}, fds) == PacketStatus::done);
    CHECK(reader.receive(pair.far.get()) == PacketStatus::broken);
    CHECK(reader.fd_count() == 0);
    CHECK(open_descriptors() == before);
}

TEST_CASE("packet: more descriptors than allowed are not sent", "[process][packet]") {
    Pair pair;
    const std::vector<int> fds(max_packet_fds + 1, 0);
    CHECK(send_packet(pair.near.get(), head_of<MasterHead>(1, 0), {}, fds) == PacketStatus::broken);
}
