#include "bench/load/requests.hpp"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "libgateway/base/clock.hpp"

namespace gateway::bench {
namespace {

std::string with_number(std::string text, std::uint64_t number) {
    const auto at = text.find("%d");
    if (at != std::string::npos) text.replace(at, 2, std::to_string(number));
    return text;
}

bool standard_input_ended() {
    pollfd input{0, POLLIN, 0};
    char block[64];
    return ::poll(&input, 1, 0) > 0 && ::read(0, block, sizeof block) <= 0;
}

}  // namespace

std::uint32_t percentile(std::vector<std::uint32_t>& values, double part) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0U : values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

std::string Tally::json() {
    const auto at = [this](double part) { return percentile(micros, part); };
    char head[256];
    std::snprintf(head, sizeof head,
                  "{\"requests\":%lu,\"good\":%lu,\"broken\":%lu,\"reopened\":%lu,\"seconds\":%.3f,\"p50\":%u,\"p99\":%"
                  "u,\"max\":%u",
                  requests, good, broken, reopened, seconds, at(0.5), at(0.99), at(1));
    std::string text = head;
    text += ",\"reasons\":{";
    for (const auto& [why, times] : reasons) {
        if (text.back() != '{') text += ',';
        text += '"' + why + "\":" + std::to_string(times);
    }
    text += "},\"windows\":[";
    for (auto& [number, times] : windows) {
        if (text.back() != '[') text += ',';
        text += "{\"p50\":" + std::to_string(percentile(times, 0.5)) +
                ",\"p99\":" + std::to_string(percentile(times, 0.99)) + '}';
    }
    return text + "]}";
}

Requests::Requests(Plan plan)
    : plan_(std::move(plan)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), guests_(plan_.connections) {
    // Made beforehand, so that the client costs the same whatever the spread.
    for (std::uint64_t number = 0; number < std::max<std::uint64_t>(plan_.spread, 1); ++number) {
        texts_.push_back(request_text(number));
    }
}

std::size_t Requests::open() const {
    std::size_t count = 0;
    for (const auto& guest : guests_) count += guest.connected ? 1 : 0;
    return count;
}

std::string Requests::request_text(std::uint64_t number) const {
    std::string text = plan_.method + ' ' + with_number(plan_.path, number) +
                       " HTTP/1.1\r\nHost: " + with_number(plan_.host, number) + "\r\n";
    if (plan_.browser) {
        text +=
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: */*\r\n"
            "Accept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\n"
            "Cookie: session=0123456789abcdef; theme=dark\r\nCache-Control: no-cache\r\n";
    }
    if (!plan_.header.empty()) text += with_number(plan_.header, number) + "\r\n";
    if (plan_.short_lived) text += "Connection: close\r\n";
    if (plan_.method != "GET") text += "Content-Length: " + std::to_string(plan_.body) + "\r\n";
    return text + "\r\n" + std::string(plan_.body, 'b');
}

bool Requests::over() const {
    if (plan_.once_each) return next_ >= guests_.size();
    if (plan_.count > 0) return asked_ >= plan_.count;
    return plan_.seconds > 0 ? monotonic_ns() >= end_ns_ : input_ended_;
}

Tally Requests::run() {
    tally_ = Tally{};
    for (auto& guest : guests_) guest.turns = 0;
    asked_ = 0;
    next_ = 0;
    ::prctl(PR_SET_TIMERSLACK, 1000UL);  // due requests are sent within microseconds
    start_ns_ = monotonic_ns();
    end_ns_ = start_ns_ + static_cast<std::int64_t>(plan_.seconds * 1e9);
    constexpr std::size_t at_once = 128;  // a listening queue has its limit
    const std::size_t first = plan_.once_each ? std::min(at_once, guests_.size()) : guests_.size();
    while (next_ < first && !over()) again(next_++);
    epoll_event events[256];
    while (busy_ > 0) {
        const int count = wait(events, 256);
        if (plan_.count == 0 && plan_.seconds == 0 && !plan_.once_each) input_ended_ = standard_input_ended();
        if (plan_.seconds > 0 && monotonic_ns() > end_ns_ + 5'000'000'000) break;
        for (int i = 0; i < count; ++i) on_event(events[i].data.u64, events[i].events);
        begin_due();
    }
    tally_.seconds = static_cast<double>(monotonic_ns() - start_ns_) / 1e9;
    return std::move(tally_);
}

// Until something happens or a request is due.
int Requests::wait(epoll_event* events, int most) {
    if (due_.empty()) return ::epoll_wait(epoll_.get(), events, most, 1000);
    const std::int64_t left = due_.top().first - monotonic_ns();
    const timespec limit{0, std::clamp<std::int64_t>(left, 0, 999'000'000)};
    return ::epoll_pwait2(epoll_.get(), events, most, &limit, nullptr);
}

void Requests::begin_due() {
    while (!due_.empty() && due_.top().first <= monotonic_ns()) {
        const std::size_t index = due_.top().second;
        due_.pop();
        begin(index);
    }
}

// The next request of this slot: now, or when it is due.
void Requests::again(std::size_t index) {
    ++busy_;
    ++asked_;
    Guest& guest = guests_[index];
    guest.started = monotonic_ns();
    if (plan_.rate <= 0) return begin(index);
    const double place = static_cast<double>(guest.turns++ * guests_.size() + index);
    guest.started = start_ns_ + static_cast<std::int64_t>(place / plan_.rate * 1e9);
    due_.emplace(guest.started, index);
}

// On the slot's connection or on a new one.
void Requests::begin(std::size_t index) {
    Guest& guest = guests_[index];
    guest.waiting = true;
    if (guest.connected) return ask(index);
    connect(index);
}

void Requests::connect(std::size_t index) {
    Guest& guest = guests_[index];
    guest.socket = start_connect(plan_.port);
    guest.connected = false;
    guest.input.clear();
    guest.rest = {};
    epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.u64 = index}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, guest.socket.get(), &event);
}

void Requests::ask(std::size_t index) {
    Guest& guest = guests_[index];
    guest.rest = texts_[random_() % texts_.size()];
    send_rest(index);
}

void Requests::send_rest(std::size_t index) {
    Guest& guest = guests_[index];
    while (!guest.rest.empty()) {
        const auto n = ::send(guest.socket.get(), guest.rest.data(), guest.rest.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) return broke(index, "send");
        guest.rest.remove_prefix(static_cast<std::size_t>(n));
    }
}

void Requests::on_event(std::size_t index, std::uint32_t events) {
    Guest& guest = guests_[index];
    if (!guest.socket) return;
    if (!guest.connected && (events & (EPOLLERR | EPOLLHUP)) != 0) return broke(index, "connect");
    if (!guest.connected && (events & EPOLLOUT) != 0) {
        guest.connected = true;
        ask(index);
    } else if ((events & EPOLLOUT) != 0) {
        send_rest(index);
    }
    if (!guest.socket || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    char block[65536];
    for (;;) {
        const auto n = ::recv(guest.socket.get(), block, sizeof block, 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            if (guest.waiting) return broke(index, n == 0 ? "closed before the answer" : "reset before the answer");
            guest.socket.reset();  // an idle connection may be closed; the next request opens another
            guest.connected = false;
            ++tally_.reopened;
            return;
        }
        guest.input.append(block, static_cast<std::size_t>(n));
        bool keep = true;
        if (!whole(guest, keep)) continue;
        if (guest.input.compare(9, 3, "200") != 0)
            ++tally_.broken, ++tally_.reasons["status " + guest.input.substr(9, 3)];
        return finish(index, keep);
    }
}

bool Requests::whole(Guest& guest, bool& keep) {
    const std::string_view all = guest.input;
    const auto end = all.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const auto head = all.substr(0, end + 2);
    if (all.size() < end + 4 + content_length(head)) return false;
    tally_.good += head.substr(8, 5) == " 200 " ? 1 : 0;
    keep = !has_line(head, "connection: close");
    return true;
}

void Requests::finish(std::size_t index, bool keep) {
    Guest& guest = guests_[index];
    ++tally_.requests;
    const auto took = static_cast<std::uint32_t>((monotonic_ns() - guest.started) / 1000);
    tally_.micros.push_back(took);
    if (plan_.window_ms > 0) {
        const auto since = static_cast<std::uint64_t>(guest.started - start_ns_) / 1'000'000;
        tally_.windows[since / plan_.window_ms].push_back(took);
    }
    --busy_;
    guest.waiting = false;
    guest.input.clear();
    if (plan_.short_lived || !keep) {
        close_with_reset(guest.socket);
        guest.connected = false;
    }
    if (over()) return;
    again(plan_.once_each ? next_++ : index);
}

void Requests::broke(std::size_t index, const std::string& why) {
    Guest& guest = guests_[index];
    ++tally_.broken;
    ++tally_.reasons[why];
    --busy_;
    guest.waiting = false;
    guest.connected = false;
    guest.socket.reset();
    if (!over()) again(plan_.once_each ? next_++ : index);
}

}  // namespace gateway::bench
