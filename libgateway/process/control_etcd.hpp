// etcd as the source of objects: what it holds comes in, and what is written here goes there before it is in force.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "libgateway/etcd/mirror.hpp"
#include "libgateway/process/control_async.hpp"
#include "libgateway/process/control_draft.hpp"
#include "libgateway/process/control_gauges.hpp"

namespace gateway::process {

// One object as etcd has it, or that it has none.
struct Incoming {
    store::Edit edit;
    std::uint64_t created = 0, modified = 0;  // revisions of etcd; `modified` also of a deletion
};

// Loop thread of control; one for the life of the process where etcd is the provider. The mirror runs all the time; the
// first full read is what control starts with, if it comes soon enough.
class EtcdSource final : public etcd::MirrorOwner {
public:
    // Brings objects into force; the next ones wait for its end. `whole`: what is not named is gone.
    using Take = std::function<asio::awaitable<void>(std::vector<Incoming> objects, bool whole)>;
    // `changed` is called when problem() may have.
    EtcdSource(asio::io_context& loop, const config::EtcdSettings& settings, Take take, std::function<void()> changed);

    void run();
    // What the first full read brought; nothing if it cannot be had too often or not within the limit. Call once.
    asio::awaitable<std::optional<std::vector<store::Entry>>> first(std::chrono::milliseconds limit);
    // Writes the draft if what it expects is so, and gives its objects the revision; why not, or nothing. Then the
    // draft's status says what kind of refusal that is.
    asio::awaitable<std::string> commit(Draft& draft);

    // What of these is news, as the objects in force stand; what etcd no longer has is added when they are all.
    std::vector<Incoming> news(std::vector<Incoming> objects, bool whole, const Catalogue::Shelf& shelf);
    // An object that the checks refuse: it stays as it was, and is tried again with the next change.
    void refused(const Incoming& object, const std::string& why);
    std::vector<Catalogue::LeftOut> left_out() const;
    void accepted(const Catalogue::Key& key) { refused_.erase(key); }

    // Why etcd cannot be written or followed; empty: it can.
    const std::string& problem() const noexcept { return problem_; }
    // Its objects have been read at some time of this process.
    bool loaded() const noexcept { return loaded_; }
    // All that it holds has been taken in since: what is in force is what it had, but for what was refused.
    bool complete() const noexcept { return complete_; }
    void completed() noexcept { complete_ = true; }
    EtcdGauges gauges() const;
    std::string address() const { return writer_.member() + writer_.options().prefix; }

    asio::awaitable<void> replace(std::vector<etcd::Entry> all, std::uint64_t revision) override;
    asio::awaitable<void> change(std::vector<etcd::Event> events, std::uint64_t revision) override;
    void synchronised() override;
    void lost(const std::string& why) override;

private:
    void note(const etcd::Entry& entry);
    std::string lost_race(const Draft& draft, const std::vector<etcd::Entry>& found) const;
    std::string key_of(const Draft::Step& step) const;
    std::optional<Incoming> incoming_of(etcd::Event event);
    std::vector<etcd::Write> writes_of(const Draft& draft, std::int64_t lease) const;
    asio::awaitable<etcd::Committed> send(const Draft& draft);

    struct Refused {
        Incoming object;
        std::string why;
        std::int64_t since_ms = 0;
    };
    asio::io_context& loop_;
    const unsigned patience_;  // failures at the start
    const std::string prefix_;
    Take take_;
    std::function<void()> changed_;
    etcd::Client reader_, writer_;
    etcd::Mirror mirror_;
    std::string problem_ = "etcd has not answered yet";
    bool waiting_ = true;  // for the first full read
    bool loaded_ = false, complete_ = false;
    std::optional<std::vector<Incoming>> first_;  // until first() takes it
    EtcdGauges gauges_;                           // but what the mirror knows
    std::map<Catalogue::Key, Refused> refused_;
    std::map<Catalogue::Key, std::uint64_t> removed_;  // here, at that revision; until the mirror is past it
    std::set<std::string, std::less<>> unknown_;       // lists that were warned about
};

}  // namespace gateway::process
