// Runs coroutines of the room to their end, and an owner of a mirror that writes down what it is told.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/etcd/mirror.hpp"
#include "tests/support/eventually.hpp"

namespace gateway::test {

namespace asio = boost::asio;

// The loop turns only inside run() and until().
class Loop {
public:
    operator asio::io_context&() noexcept { return loop_; }
    asio::io_context& context() noexcept { return loop_; }

    // What the coroutine returns; throws what it throws.
    template <class T>
    T run(asio::awaitable<T> work) {
        std::optional<T> result;
        std::exception_ptr thrown;
        bool done = false;
        asio::co_spawn(loop_, std::move(work), [&](std::exception_ptr error, T value) {
            thrown = error;
            if (!error) result.emplace(std::move(value));
            done = true;
        });
        if (!until([&] { return done; }, milliseconds(60000))) throw std::runtime_error("the coroutine does not end");
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*result);
    }
    template <class Condition>
    bool until(Condition condition, milliseconds limit = milliseconds(5000)) {
        const auto end = std::chrono::steady_clock::now() + limit * patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() >= end) return false;
            loop_.restart();
            loop_.run_one_for(milliseconds(2));
        }
        return true;
    }

private:
    asio::io_context loop_{1};
};

class Notebook final : public etcd::MirrorOwner {
public:
    asio::awaitable<void> replace(std::vector<etcd::Entry> all, std::uint64_t at) override {
        entries.clear();
        for (etcd::Entry& entry : all) entries.emplace(entry.key, entry);
        ++replaced;
        revision = at;
        co_return;
    }
    asio::awaitable<void> change(std::vector<etcd::Event> events, std::uint64_t at) override {
        for (etcd::Event& event : events) {
            entries.erase(event.entry.key);
            if (!event.removed) entries.emplace(event.entry.key, event.entry);
            seen.push_back(event);
        }
        batches.push_back(events.size());
        revision = at;
        co_return;
    }
    void synchronised() override { news.push_back("synchronised"); }
    void lost(const std::string& why) override { news.push_back("lost: " + why); }

    std::string value(const std::string& key) const {
        const auto found = entries.find(key);
        return found == entries.end() ? "-" : found->second.value;
    }

    std::map<std::string, etcd::Entry> entries;
    std::vector<etcd::Event> seen;
    std::vector<std::size_t> batches;
    std::vector<std::string> news;
    std::uint64_t revision = 0;
    int replaced = 0;
};

// A mirror that runs as long as it lives, beside a client of its own.
class Mirrored {
public:
    Mirrored(Loop& loop, const etcd::Options& options)
        : loop_(loop), client(loop, options), mirror(loop, client, notes) {
        asio::co_spawn(loop.context(), mirror.run(), [this](const std::exception_ptr& error) {
            failed = error != nullptr;
            ended = true;
        });
    }
    ~Mirrored() {
        mirror.stop();
        (void)loop_.until([this] { return ended; }, milliseconds(30000));
    }
    bool synchronised() {
        return loop_.until([this] { return mirror.following(); }, milliseconds(20000));
    }

private:
    Loop& loop_;

public:
    Notebook notes;
    etcd::Client client;
    etcd::Mirror mirror;
    bool ended = false, failed = false;
};

inline etcd::Options options_for(const std::vector<std::string>& urls) {
    etcd::Options options;
    for (const std::string& url : urls) options.members.push_back(*etcd::parse_member(url));
    options.timeout = milliseconds(5000) * patience;
    options.resync_delay = milliseconds(50);
    return options;
}

}  // namespace gateway::test
