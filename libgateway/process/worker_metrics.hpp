// Questions of a worker's requests for the metrics of the machine, which control tells over the worker channel.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "libgateway/net/wait.hpp"
#include "libgateway/plugin/services.hpp"

namespace gateway::process {

// One per worker. Requests that come while a question is under way wait for the same answer.
class MetricsQuestions {
public:
    static constexpr Milliseconds patience{5000};

    // `put` sends a question, if there is somebody to send it to.
    MetricsQuestions(net::Reactor& reactor, std::function<void()> put);

    // See Services::metrics.
    Task<MetricsText> ask(Arena& arena);
    // There is a channel again: what is still waited for is asked there.
    void connected();
    // The text is in `large` if that is a descriptor.
    void answered(unsigned status, std::span<const std::byte> small, UniqueFd large);

private:
    struct Answer {
        unsigned status;
        std::vector<std::byte> small;
        UniqueFd large;
        std::size_t size;
    };
    struct Waiter {
        explicit Waiter(MetricsQuestions& owner);
        ~Waiter();
        MetricsQuestions& questions;
        net::Sleeper sleeper;
        std::shared_ptr<const Answer> answer;
    };
    // False: it cannot be read.
    Task<bool> copy(const Answer& answer, char* to);

    net::Reactor& reactor_;
    std::function<void()> put_;
    std::vector<Waiter*> waiting_;
};

}  // namespace gateway::process
