#include "libgateway/proxy/site.hpp"

#include <ctime>
#include <utility>

#include "libgateway/base/log.hpp"
#include "libgateway/proxy/exchange_state.hpp"
#include "libgateway/proxy/session.hpp"

namespace gateway::proxy {

Site::Site(net::Reactor& loop, net::ResolverSettings names, telemetry::CounterPage& page)
    : deliveries(loop, resolver),
      reactor(loop),
      pool(loop),
      resolver(loop, std::move(names)),
      redis_hub(loop, resolver),
      counters(page),
      random_(std::random_device()()) {
    deliveries.client = &services_asked;
}

Site::~Site() {
    std::vector<Ref<upstream::Endpoint>> endpoints_now;
    for (const auto& [key, endpoint] : endpoints.all()) endpoints_now.emplace_back(endpoint);
    for (const auto& endpoint : endpoints_now) pool.close_idle(*endpoint);
}

void Site::enter(Session& session) {
    session.next_ = sessions_;
    if (sessions_) sessions_->previous_ = &session;
    sessions_ = &session;
    ++session_count_;
    ++accepted;
}

void Site::leave(Session& session) noexcept {
    (session.previous_ ? session.previous_->next_ : sessions_) = session.next_;
    if (session.next_) session.next_->previous_ = session.previous_;
    --session_count_;
    if (session_left) session_left();
}

// Cancelling ends a session on the spot, so the next one is found first.
void Site::close_idle(Milliseconds idle) {
    const std::int64_t before = reactor.now_ms() - idle.count();
    for (Session* session = sessions_; session;) {
        Session* next = session->next_;
        if (session->idle() && session->idle_since_ms() <= before && !session->has_unread())
            session->sleeper().cancel();
        session = next;
    }
}

ProxyExchange& Site::take_exchange() {
    if (spare_.empty()) {
        exchanges_.push_back(std::make_unique<ProxyExchange>(*this));
        spare_.reserve(exchanges_.size());
        return *exchanges_.back();
    }
    ProxyExchange* exchange = spare_.back();
    spare_.pop_back();
    return *exchange;
}

void Site::give_exchange(ProxyExchange& exchange) noexcept {
    spare_.push_back(&exchange);
}

std::string_view Site::date() noexcept {
    const std::int64_t now = wall_ms() / 1000;
    if (now != date_second_) {
        date_second_ = now;
        const std::time_t whole = now;
        std::tm parts{};
        ::gmtime_r(&whole, &parts);
        char text[32];
        date_.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    }
    return date_;
}

void Site::tell_handshake(std::string_view what, std::string_view client) noexcept {
    constexpr std::uint32_t most_a_second = 10;
    const std::int64_t second = reactor.now_ms() / 1000;
    if (second != told_second_) {
        told_second_ = second;
        told_ = 0;
    }
    if (told_ == most_a_second) {
        ++untold_;
        return;
    }
    ++told_;
    if (untold_ > 0) log::error("{} more failed TLS handshakes", std::exchange(untold_, 0));
    log::error("{}, client: {}", what, client);
}

Task<void> Site::sleep(Milliseconds duration) {
    co_await reactor.sleep(duration);
}

}  // namespace gateway::proxy
