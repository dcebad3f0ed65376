// What a worker offers to plugins beyond the exchange itself: time, chance, waiting. Replaceable in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/base/clock.hpp"
#include "libgateway/base/task.hpp"
#include "libgateway/client/client.hpp"
#include "libgateway/redis/client.hpp"
#include "libgateway/shm/tables.hpp"

namespace gateway {

namespace delivery {
class Dispatch;
}
namespace telemetry {
class SeriesWriter;
}

// The metrics of the whole machine.
struct MetricsText {
    unsigned status = 0;    // as for whoever asked; 0: nobody told in time
    std::string_view text;  // with 200 the metrics, else JSON
};

// One per worker; outlives every exchange.
class Services {
public:
    virtual ~Services() = default;
    // Where log entries go; null where nothing can be sent.
    virtual delivery::Dispatch* dispatch() noexcept { return nullptr; }
    // Metrics with labels of this worker; null where nobody keeps any.
    virtual telemetry::SeriesWriter* series() noexcept { return nullptr; }
    // Tables of the whole machine, for counts that all workers share; null where there are none.
    virtual shm::Tables* tables() noexcept { return nullptr; }
    // Redis servers of this worker; null where there is no network.
    virtual redis::Hub* redis() noexcept { return nullptr; }
    // The metrics as control tells them, in `arena`; waits 5 s at most.
    virtual Task<MetricsText> metrics(Arena& arena);
    // Resumes after at least `duration` (wheel tick: 10 ms), or at once when the exchange is being abandoned.
    virtual Task<void> sleep(Milliseconds duration) = 0;
    // Begins `work` outside of all exchanges after `after`, up to 100 ms late, or earlier when the worker leaves: the
    // worker then waits for its end, within its own limit. `work` owns what it touches or shares it: the plugin may be
    // gone by then. False: the worker is leaving already, and `work` is dropped.
    virtual bool later(Milliseconds after, Task<void> work) = 0;
    // One question to a service, see client/client.hpp. All references live until the task has ended.
    virtual Task<void> fetch(const client::Url& url, const client::Request& request, const client::Limits& limits,
                             client::Answer& answer) = 0;
    // A copy of the request to a service, whose answer nobody waits for. False: it is not sent.
    virtual bool tell(const client::Url& url, const client::Request& request, const client::Limits& limits) = 0;
    virtual std::uint64_t random() noexcept = 0;  // fast, for chances; not for secrets
    // Bytes that nobody can foretell; the default asks the kernel, in portions.
    virtual void secure_random(void* to, std::size_t size) noexcept;
    virtual std::int64_t now_ms() const noexcept = 0;            // wall clock, milliseconds since the epoch
    virtual std::string_view server_token() const noexcept = 0;  // value of the Server field, e.g. "gateway/0.1.0"
    // A hook threw.
    virtual void count_plugin_throw() noexcept {}
    virtual std::string_view error_page_token() const noexcept = 0;  // product line of built-in pages
};

}  // namespace gateway
