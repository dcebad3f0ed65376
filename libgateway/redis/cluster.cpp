#include "libgateway/redis/cluster.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::redis {

namespace {

constexpr int most_redirections = 5;
constexpr std::size_t most_nodes = 1000;  // a reply cannot make more of them

struct HostPort {
    std::string host;
    std::uint16_t port = 0;
};
HostPort split(std::string_view node) {
    const std::size_t colon = node.rfind(':');
    HostPort out;
    out.host = node.substr(0, colon);
    if (colon != std::string_view::npos) out.port = parse_decimal<std::uint16_t>(node.substr(colon + 1)).value_or(0);
    return out;
}

std::string node_name(std::string_view host, std::int64_t port) {
    return std::string(host) + ":" + std::to_string(port);
}

}  // namespace

Redirection redirection_of(std::string_view error) {
    Redirection out;
    const bool moved = error.rfind("MOVED ", 0) == 0;
    if (!moved && error.rfind("ASK ", 0) != 0) return out;
    error.remove_prefix(moved ? 6 : 4);
    const std::size_t blank = error.find(' ');
    const auto slot = parse_decimal<std::uint16_t>(error.substr(0, blank));
    if (!slot || *slot >= 16384 || blank == std::string_view::npos) return out;
    out.node = error.substr(blank + 1);
    if (split(out.node).port == 0) return out;
    out.slot = *slot;
    out.kind = moved ? Redirection::Kind::moved : Redirection::Kind::ask;
    return out;
}

Cluster::Cluster(net::Reactor& reactor, net::Resolver& resolver, std::vector<std::string> nodes, Target common)
    : reactor_(reactor), resolver_(resolver), seeds_(std::move(nodes)), common_(std::move(common)) {}

std::size_t Cluster::open_connections() const noexcept {
    std::size_t sum = 0;
    for (const auto& [name, server] : nodes_) sum += server->open_connections();
    return sum;
}

Server& Cluster::node(const std::string& name, const std::string& asked_host) {
    HostPort place = split(name);
    if (place.host.empty() || place.host == "?") place.host = asked_host;
    const std::string full = node_name(place.host, place.port);
    const auto known = nodes_.find(full);
    if (known != nodes_.end()) return *known->second;
    if (nodes_.size() >= most_nodes) return *nodes_.begin()->second;
    Target target = common_;
    target.host = place.host;
    target.port = place.port;
    return *nodes_.emplace(full, std::make_unique<Server>(reactor_, resolver_, std::move(target))).first->second;
}

// CLUSTER SLOTS: per range its first and last slot and its nodes, the master first: host, port, id.
void Cluster::read_map(const Reply& map, const std::string& asked_host) {
    for (const Reply& range : map.items) {
        if (range.items.size() < 3 || range.items[2].items.size() < 2) continue;
        const Reply& master = range.items[2];
        const std::int64_t first = range.items[0].integer, last = range.items[1].integer,
                           port = master.items[1].integer;
        if (first < 0 || last >= static_cast<std::int64_t>(slots) || first > last || port < 1 || port > 65535) continue;
        Server& owner = node(node_name(master.items[0].text, port), asked_host);
        std::fill(owners_.begin() + first, owners_.begin() + last + 1, &owner);
    }
}

Task<std::string> Cluster::learn(Until until) {
    std::vector<Server*> known;
    for (const auto& [name, server] : nodes_) known.push_back(server.get());
    for (const std::string& seed : seeds_) {
        Server* server = &node(seed, {});
        if (std::find(known.begin(), known.end(), server) == known.end()) known.push_back(server);
    }
    std::string bytes, failure = "no node of the cluster is known";
    append_command(bytes, {"CLUSTER", "SLOTS"});
    for (Server* server : known) {
        Answer answer = co_await server->ask(bytes, 1, until);
        if (answer && answer.reply.kind == Reply::Kind::array) {
            read_map(answer.reply, server->target().host);
            stale_ = false;
            co_return std::string();
        }
        failure = answer ? std::string("not a reply of a cluster") : answer.failure;
    }
    co_return failure;
}

Task<Answer> Cluster::route(std::uint16_t slot, const std::string& bytes, Until until) {
    Answer answer;
    if (stale_ || !owners_[slot]) answer.failure = co_await learn(until);
    if (!answer) co_return answer;
    Server* server = owners_[slot];
    if (!server) {
        stale_ = true;
        answer.failure = "no node has the slot";
        co_return answer;
    }
    std::string asking;
    for (int round = 0; round < most_redirections; ++round) {
        answer = co_await server->ask(asking.empty() ? bytes : asking, asking.empty() ? 1 : 2, until);
        const Redirection to = redirection_of(answer.failure);
        if (to.kind == Redirection::Kind::none) break;
        server = &node(to.node, server->target().host);
        asking.clear();
        if (to.kind == Redirection::Kind::moved) {
            owners_[to.slot] = server;
        } else {
            append_command(asking, {"ASKING"});
            asking += bytes;
        }
    }
    // Errors of the script itself say nothing about the map.
    if (!answer && !is_unknown_script(answer) && !answer.reply.is_error()) stale_ = true;
    if (answer.failure.rfind("CLUSTERDOWN", 0) == 0) stale_ = true;
    co_return answer;
}

Task<Answer> Cluster::command(std::span<const std::string_view> words, std::size_t key_at) {
    std::string bytes;
    append_command(bytes, words);
    Answer answer = co_await route(slot_of(words[key_at]), bytes, Until(reactor_, common_.timeout));
    co_return answer;
}

Task<Answer> Cluster::eval(const Script& script, std::string_view key, std::span<const std::string_view> arguments) {
    const Until until(reactor_, common_.timeout);
    const std::uint16_t slot = slot_of(key);
    std::string bytes;
    append_eval(bytes, script, true, key, arguments);
    Answer answer = co_await route(slot, bytes, until);
    if (!is_unknown_script(answer)) co_return answer;
    bytes.clear();
    append_eval(bytes, script, false, key, arguments);
    answer = co_await route(slot, bytes, until);
    co_return answer;
}

}  // namespace gateway::redis
