#include "libgateway/process/worker_metrics.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gateway::process {

namespace {

// Some 50 µs of copying; others have their turn in between.
constexpr std::size_t slice = 256 * 1024;
constexpr std::size_t largest = 256u << 20;

}  // namespace

MetricsQuestions::Waiter::Waiter(MetricsQuestions& owner) : questions(owner), sleeper(owner.reactor_) {
    questions.waiting_.push_back(this);
}
MetricsQuestions::Waiter::~Waiter() {
    std::erase(questions.waiting_, this);
}

MetricsQuestions::MetricsQuestions(net::Reactor& reactor, std::function<void()> put)
    : reactor_(reactor), put_(std::move(put)) {}

void MetricsQuestions::connected() {
    if (!waiting_.empty()) put_();
}

Task<MetricsText> MetricsQuestions::ask(Arena& arena) {
    Waiter waiter(*this);
    if (waiting_.size() == 1) put_();
    co_await waiter.sleeper.pause(patience);
    if (!waiter.answer) co_return MetricsText{};
    const Answer& answer = *waiter.answer;
    char* const text = arena.chars(answer.size);
    const bool whole = co_await copy(answer, text);
    if (!whole) co_return MetricsText{};
    co_return MetricsText{answer.status, {text, answer.size}};
}

Task<bool> MetricsQuestions::copy(const Answer& answer, char* to) {
    if (!answer.large) {
        if (answer.size > 0) std::memcpy(to, answer.small.data(), answer.size);
        co_return true;
    }
    for (std::size_t at = 0; at < answer.size;) {
        const ssize_t got =
            ::pread(answer.large.get(), to + at, std::min(slice, answer.size - at), static_cast<off_t>(at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) co_return false;
        at += static_cast<std::size_t>(got);
        if (at < answer.size) co_await reactor_.yield();
    }
    co_return true;
}

void MetricsQuestions::answered(unsigned status, std::span<const std::byte> small, UniqueFd large) {
    auto answer = std::make_shared<Answer>();
    answer->status = status;
    answer->size = small.size();
    if (large) {
        struct stat facts {};
        if (::fstat(large.get(), &facts) != 0 || facts.st_size < 0) return;
        answer->size = static_cast<std::size_t>(facts.st_size);
        if (answer->size > largest) return;
        answer->large = std::move(large);
    } else {
        answer->small.assign(small.begin(), small.end());
    }
    // Whoever goes on may ask again.
    for (Waiter* waiter : std::exchange(waiting_, {})) {
        waiter->answer = answer;
        waiter->sleeper.nudge();
    }
}

}  // namespace gateway::process
