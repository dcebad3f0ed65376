// Fakes for the tests of control: shared pages in plain memory, a worker at the other end of a socket pair, small
// deltas.
#pragma once

#include <sys/socket.h>

#include <array>
#include <boost/asio/detached.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "libgateway/base/clock.hpp"
#include "libgateway/process/control_revisions.hpp"
#include "tests/support/catch.hpp"

namespace gateway::process::test {

// A folder of its own, removed at the end.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "gateway-test-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

inline config::Change route_change(std::string_view id, std::string_view json, std::uint64_t order = 1) {
    return {config::Kind::route, false, id, order, json};
}
inline config::Change removed(std::string_view id) {
    return {config::Kind::route, true, id, 0, {}};
}

inline FullDelta full_delta(std::uint64_t revision, const std::vector<config::Change>& objects) {
    FullDelta full;
    full.revision = revision;
    for (const config::Change& object : objects) full.digest.add(hash_of(object));
    config::DeltaWriter writer(full.bytes);
    writer.begin(0, revision);
    for (const config::Change& object : objects) writer.add(object);
    writer.finish(full.digest);
    return full;
}

struct Pages {
    std::unique_ptr<WorkerPages> workers = std::make_unique<WorkerPages>();
    ControlPage control{};
    Revisions::Shared shared() { return {workers.get(), &control}; }
    static std::int32_t pid_of(std::uint32_t index) { return 1000 + static_cast<std::int32_t>(index); }
    void alive(std::uint32_t index, WorkerState state = WorkerState::ready) {
        WorkerPage& page = (*workers)[index];
        page.pid = pid_of(index);
        page.state = static_cast<std::uint32_t>(state);
        page.heartbeat_ns = monotonic_ns();
    }
    void stalled(std::uint32_t index) { (*workers)[index].heartbeat_ns = monotonic_ns() - 5'000'000'000; }
};

// A worker that does only what the test says.
class FakeWorker {
public:
    explicit FakeWorker(std::uint32_t index) : index_(index) {
        std::array<int, 2> pair{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0);
        own_.reset(pair[0]);
        other_.reset(pair[1]);
    }
    std::uint32_t index() const noexcept { return index_; }
    UniqueFd control_side() { return std::move(other_); }
    void hello(std::uint64_t revision, const config::Digest& digest = {}) {
        ChannelHead head;
        head.type = static_cast<std::uint32_t>(FromWorker::hello);
        head.number = revision;
        const Hello hello{index_, 1000 + index_, 1, digest};
        REQUIRE(send_packet(own_.get(), head, bytes_of(hello)) == PacketStatus::done);
    }
    void say(FromWorker type, std::uint64_t number, std::string_view text = {}) {
        ChannelHead head;
        head.type = static_cast<std::uint32_t>(type);
        head.number = number;
        head.text.assign(text);
        REQUIRE(send_packet(own_.get(), head) == PacketStatus::done);
    }
    // The next delta that was sent; a header of zeros if nothing waits.
    config::DeltaHeader receive() {
        bytes_.clear();
        if (packet_.receive(own_.get()) != PacketStatus::done)
            return {.count = 0, .size = 0, .from = 0, .to = 0, .digest = {}};
        if (const UniqueFd file = packet_.take_fd(0)) {
            bytes_ = Journal::read(file.get(), 0, static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)));
        } else {
            const char* body = reinterpret_cast<const char*>(packet_.body().data());
            bytes_.assign(body, body + packet_.body().size());
        }
        config::DeltaReader reader(bytes_);
        REQUIRE(reader.ok());
        return reader.header();
    }
    bool hung_up() { return packet_.receive(own_.get()) == PacketStatus::closed; }
    void leave() { own_.reset(); }

private:
    std::uint32_t index_;
    UniqueFd own_, other_;
    PacketReader<ChannelHead> packet_;
    std::vector<char> bytes_;
};

// The engine with everything around it; `run` turns the loop until a condition holds.
struct Engine {
    explicit Engine(Revisions::Limits limits = {})
        : revisions(loop, builder, disk, pages.shared(), limits,
                    [this](int fd, std::uint64_t revision) { handed.emplace_back(fd, revision); }) {}
    ~Engine() {
        revisions.channels().stop();
        builder.join();
        loop.poll();
    }
    template <class Condition>
    bool run(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            loop.restart();
            loop.run_for(std::chrono::milliseconds(2));
        }
        return true;
    }
    // As the process that the master started for its slot.
    void add(FakeWorker& worker) {
        (*pages.workers)[worker.index()].pid = Pages::pid_of(worker.index());
        add(worker, Pages::pid_of(worker.index()));
    }
    void add(FakeWorker& worker, std::int32_t pid) { revisions.channels().add(worker.control_side(), pid); }
    // Adds the object to what is in force.
    void publish(const config::Change& change) {
        result.reset();
        config::Digest after = revisions.digest();
        after.add(hash_of(change));
        asio::co_spawn(loop, publish_one(change, after), asio::detached);
    }
    asio::awaitable<void> publish_one(config::Change change, config::Digest after) {
        const Published published = co_await revisions.publish({&change, 1}, after, keep);
        result = published;
    }
    std::uint64_t epoch() const { return pages.control.epoch.load(); }

    asio::io_context loop;
    asio::thread_pool builder{1};
    LastGood disk{""};
    Pages pages;
    std::vector<std::pair<int, std::uint64_t>> handed;
    std::optional<Published> result;
    Revisions::Keep keep;  // of the next publish
    Revisions revisions;
};

}  // namespace gateway::process::test
