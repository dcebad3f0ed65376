#include "libgateway/redis/sentinel.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::redis {

namespace {

constexpr std::int64_t pause_ms = 100;

Address address_of(const Reply& host, const Reply& port) {
    const auto number = parse_decimal<std::uint16_t>(port.text).value_or(0);
    return host.kind != Reply::Kind::text || host.text.empty() || number == 0 ? Address{} : Address{host.text, number};
}

// SENTINEL REPLICAS: per replica names and values in turn.
const Reply* member(const Reply& replica, std::string_view name) {
    for (std::size_t i = 0; i + 1 < replica.items.size(); i += 2) {
        if (replica.items[i].text == name) return &replica.items[i + 1];
    }
    return nullptr;
}

bool usable(const Reply& replica) {
    const Reply *flags = member(replica, "flags"), *link = member(replica, "master-link-status");
    if (!flags || !link || link->text != "ok") return false;
    const auto has = [&](std::string_view flag) { return flags->text.find(flag) != std::string::npos; };
    return !has("s_down") && !has("o_down") && !has("disconnected");
}

// The server is not what it was, or is not there: sentinels may know better.
bool is_elsewhere(const Answer& answer) {
    if (answer) return false;
    if (!answer.reply.is_error()) return true;
    const auto begins = [&](std::string_view word) { return answer.failure.rfind(word, 0) == 0; };
    return begins("READONLY") || begins("LOADING") || begins("MASTERDOWN");
}

}  // namespace

Address master_in(const Reply& reply) {
    return reply.items.size() == 2 ? address_of(reply.items[0], reply.items[1]) : Address{};
}

Address replica_in(const Reply& reply, const Address& avoid) {
    Address last;
    for (const Reply& replica : reply.items) {
        const Reply *host = member(replica, "ip"), *port = member(replica, "port");
        if (!host || !port || !usable(replica)) continue;
        last = address_of(*host, *port);
        if (!last.host.empty() && !(last == avoid)) return last;
    }
    return last;
}

Sentinels::Sentinels(net::Reactor& reactor, net::Resolver& resolver, const SentinelGroup& group)
    : reactor_(reactor),
      resolver_(resolver),
      master_name_(group.master_name),
      role_(group.role),
      common_(group.common) {
    for (const auto& [host, port] : group.sentinels) {
        Target target;
        target.host = host;
        target.port = port;
        target.username = group.username;
        target.password = group.password;
        target.timeout = common_.connect_timeout;
        target.keepalive = common_.keepalive;
        target.keepalive_pool = 1;
        sentinels_.push_back(std::make_unique<Server>(reactor, resolver, std::move(target)));
    }
}

std::size_t Sentinels::open_connections() const noexcept {
    std::size_t sum = current_ ? current_->open_connections() : 0;
    for (const auto& sentinel : sentinels_) sum += sentinel->open_connections();
    return sum;
}

bool Sentinels::may_look() const noexcept {
    return !current_ || (stale_ && reactor_.now_ms() - found_ms_ >= pause_ms);
}

void Sentinels::use(std::string host, std::uint16_t port) {
    if (current_ && current_->target().host == host && current_->target().port == port) return;
    Target target = common_;
    target.host = std::move(host);
    target.port = port;
    current_ = std::make_shared<Server>(reactor_, resolver_, std::move(target));
}

// One that says nothing leaves time for the others.
Task<std::string> Sentinels::find(Until until) {
    found_ms_ = reactor_.now_ms();
    const Address known = current_ ? Address{current_->target().host, current_->target().port} : Address{};
    const bool master = role_ == Role::master;
    std::string bytes, failure = "no sentinel answers in time";
    append_command(bytes, {"SENTINEL", master ? "GET-MASTER-ADDR-BY-NAME" : "SLAVES", master_name_});
    const std::size_t first = preferred_, count = sentinels_.size();
    for (std::size_t i = 0; i < count && until.left().count() > 0; ++i) {
        const std::size_t at = (first + i) % count;
        const Milliseconds share = until.left() / static_cast<std::int64_t>(count - i);
        Answer answer = co_await sentinels_[at]->ask(bytes, 1, until.at_most(std::max(share, Milliseconds(1))));
        if (!answer) {
            failure = "sentinel: " + answer.failure;
            continue;
        }
        Address found = master ? master_in(answer.reply) : replica_in(answer.reply, known);
        if (found.host.empty()) {
            failure = master ? "sentinel: it does not know that master" : "sentinel: no replica is up";
            continue;
        }
        preferred_ = at;
        stale_ = false;
        use(std::move(found.host), found.port);
        co_return std::string();
    }
    co_return failure;
}

Task<Answer> Sentinels::ask(const std::string& bytes, Until until) {
    Answer answer;
    std::shared_ptr<Server> asked;
    for (int round = 0; round < 2; ++round) {
        if (may_look()) {
            std::string failure = co_await find(until.at_most(common_.connect_timeout));
            if (!current_) answer.failure = std::move(failure);
        }
        if (!current_ || current_ == asked) break;
        asked = current_;
        answer = co_await asked->ask(bytes, 1, until);
        if (!is_elsewhere(answer)) break;
        if (asked == current_) stale_ = true;
    }
    co_return answer;
}

Task<Answer> Sentinels::command(std::span<const std::string_view> words, std::size_t) {
    std::string bytes;
    append_command(bytes, words);
    Answer answer = co_await ask(bytes, begin());
    co_return answer;
}

Task<Answer> Sentinels::eval(const Script& script, std::string_view key, std::span<const std::string_view> arguments) {
    const Until until = begin();
    std::string bytes;
    append_eval(bytes, script, true, key, arguments);
    Answer answer = co_await ask(bytes, until);
    if (!is_unknown_script(answer)) co_return answer;
    bytes.clear();
    append_eval(bytes, script, false, key, arguments);
    answer = co_await ask(bytes, until);
    co_return answer;
}

}  // namespace gateway::redis
