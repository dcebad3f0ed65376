// What all outboxes of one worker share: the loop, names, and the way to end in good order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/client/client.hpp"
#include "libgateway/net/reactor.hpp"
#include "libgateway/net/resolver.hpp"
#include "libgateway/telemetry/log_thread.hpp"
#include "libgateway/telemetry/series.hpp"

namespace gateway::delivery {

class Outbox;
class LogFile;

// One per worker, made with its first session and gone after its last.
class Dispatch {
public:
    Dispatch(net::Reactor& loop, net::Resolver& names) : reactor(loop), resolver(names) {}
    ~Dispatch();
    Dispatch(const Dispatch&) = delete;
    Dispatch& operator=(const Dispatch&) = delete;

    net::Reactor& reactor;
    net::Resolver& resolver;
    client::Client* client = nullptr;           // null: nothing is posted
    telemetry::SeriesWriter* series = nullptr;  // null: nothing is counted

    // The worker leaves: every outbox delivers what it has, once, without waiting for more.
    void drain();
    bool draining() const noexcept { return draining_; }
    // Whether anything is still waiting or under way.
    bool busy() const noexcept;

    // The file of that path, opened when something is written to it; kept while somebody holds it.
    std::shared_ptr<LogFile> file(const std::string& path);
    // USR1: files are opened again.
    void reopen_files();
    telemetry::LogThread& log_thread();

private:
    friend class Outbox;
    Outbox* first_ = nullptr;
    bool draining_ = false;
    std::map<std::string, std::weak_ptr<LogFile>, std::less<>> files_;
    std::unique_ptr<telemetry::LogThread> log_thread_;
};

}  // namespace gateway::delivery
