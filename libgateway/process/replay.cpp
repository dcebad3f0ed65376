#include "libgateway/process/replay.hpp"

#include <algorithm>

namespace gateway::process {

namespace {

constexpr std::size_t unreadable_told = 20, reasons_told = 50;
constexpr std::string_view other_reasons = "other reasons";

// Where a plugin's settings come from does not matter to a request.
std::string chain_text(const json::Value& chain) {
    std::string text;
    for (const json::Value& row : chain.items()) {
        for (const std::string_view name : {"plugin", "priority", "scope", "enabled", "config"})
            text += json::write_sorted(member(row, name)) + " ";
        text += "\n";
    }
    return text;
}

json::Value plugins_of(const json::Value& chain) {
    json::Value names = json::Value::array();
    for (const json::Value& row : chain.items()) {
        if (member(row, "enabled").boolean()) names.push(member(row, "plugin"));
    }
    return names;
}

// Without what is for people only.
std::string upstream_text(const json::Value& upstream) {
    json::Value object = member(upstream, "object");
    for (const std::string_view name : {"id", "name", "desc", "labels"}) object.erase(name);
    return member(upstream, "source").string() + json::write_sorted(object);
}

json::Value nodes_of(const json::Value& upstream) {
    json::Value nodes = json::Value::array();
    for (const json::Value& node : member(upstream, "nodes").items()) {
        const json::Value& port = member(node, "port");
        const std::string number = port.is_number() ? port.number() : port.string();
        nodes.push(json::Value(member(node, "host").string() + (number.empty() ? "" : ":" + number)));
    }
    return nodes;
}

void add_needs(const DocumentView& view, RouteNeeds& needs) {
    needs.host |= view.router_kind() == route::RouterKind::host_uri && !view.rules().empty();
    for (const Ref<const route::RouteRule>& rule : view.rules()) {
        needs.method |= rule->methods != 0;
        needs.host |= !rule->hosts.empty();
        needs.client |= !rule->addresses.empty();
    }
}

}  // namespace

Replay::Replay(ReplaySides sides) : sides_(std::move(sides)) {
    add_needs(sides_.before, needs_);
    add_needs(sides_.after, needs_);
}

void Replay::take_unreadable(std::string why) {
    ++line_;
    ++taken_;
    ++unreadable_count_;
    if (unreadable_.size() < unreadable_told)
        unreadable_.push(json::Value::object({{"line", line_}, {"why", json::Value(std::move(why))}}));
}

void Replay::take(std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return void(++line_);
    std::string why;
    const auto read = LogLine::parse(line, sides_.names, why);
    if (!read) return take_unreadable(std::move(why));
    ++line_;
    ++taken_;
    const RecordedRequest request(*read, sides_.path, needs_, why);
    if (!why.empty()) return not_judged(std::move(why));
    compare(request);
}

void Replay::not_judged(std::string why) {
    if (reasons_.size() >= reasons_told) why = other_reasons;
    auto known = std::find_if(reasons_.begin(), reasons_.end(), [&](const Count& one) { return one.why == why; });
    if (known == reasons_.end()) known = reasons_.insert(known, {std::move(why), 0, line_});
    ++known->count;
}

void Replay::compare(const RecordedRequest& request) {
    const route::MatchInput input = request.input();
    const route::RouteMatch before = sides_.before.find(input), after = sides_.after.find(input);
    if (!request.missing().empty())
        return not_judged("a route asks for " + request.missing() + ", which it does not hold");
    ++judged_;
    Group& group =
        group_of(destination(before_, before, request.consumer()), destination(after_, after, request.consumer()));
    if (group.count++ == 0) {
        group.line = line_;
        if (!group.differs.empty()) group.example = request.text();
    }
    if (!group.differs.empty()) ++changed_;
}

std::size_t Replay::destination(Side& side, const route::RouteMatch& match, const std::string& consumer) {
    const auto [at, fresh] = side.known.try_emplace({match.rule(), consumer}, side.destinations.size());
    if (fresh) side.destinations.push_back(describe(side.view, match, consumer));
    return at->second;
}

Replay::Destination Replay::describe(const DocumentView& view, const route::RouteMatch& match,
                                     const std::string& consumer) const {
    Destination result;
    if (!match) {
        result.shown = json::Value::object({{"route", nullptr}, {"outcome", "404"}});
        return result;
    }
    const bool stranger = !consumer.empty() && !view.has(config::Kind::consumer, consumer);
    const json::Value reached = view.reached(*match.rule(), stranger ? std::string_view() : consumer);
    const json::Value &chain = member(reached, "chain"), &upstream = member(reached, "upstream");
    result.route = "route " + match.rule()->id;
    result.chain = chain_text(chain) + (stranger ? "consumer " + consumer + " is not there" : "");
    result.upstream = member(reached, "outcome").string() + upstream_text(upstream);
    result.shown = json::Value::object({{"route", json::Value(match.rule()->id)},
                                        {"outcome", member(reached, "outcome")},
                                        {"plugins", plugins_of(chain)},
                                        {"upstream", member(upstream, "source")},
                                        {"nodes", nodes_of(upstream)}});
    if (!consumer.empty()) result.shown.set("consumer", json::Value(consumer + (stranger ? " (is not there)" : "")));
    return result;
}

Replay::Group& Replay::group_of(std::size_t before, std::size_t after) {
    const auto [at, fresh] = known_groups_.try_emplace({before, after}, groups_.size());
    if (!fresh) return groups_[at->second];
    Group& group = groups_.emplace_back(Group{before, after, 0, 0, {}, {}});
    const Destination &one = before_.destinations[before], &other = after_.destinations[after];
    if (one.route != other.route) group.differs.push_back("route");
    if (one.chain != other.chain) group.differs.push_back("chain");
    if (one.upstream != other.upstream) group.differs.push_back("upstream");
    return group;
}

json::Value Replay::group_json(const Group& group) const {
    json::Value differs = json::Value::array();
    for (const std::string_view part : group.differs) differs.push(json::Value(part));
    return json::Value::object(
        {{"count", group.count},
         {"differs", std::move(differs)},
         {"before", before_.destinations[group.before].shown},
         {"after", after_.destinations[group.after].shown},
         {"example", json::Value::object({{"line", group.line}, {"request", json::Value(group.example)}})}});
}

json::Value Replay::result() const {
    std::vector<const Group*> changed;
    for (const Group& group : groups_) {
        if (!group.differs.empty()) changed.push_back(&group);
    }
    std::stable_sort(changed.begin(), changed.end(),
                     [](const Group* a, const Group* b) { return a->count > b->count; });
    json::Value groups = json::Value::array(), reasons = json::Value::array();
    for (const Group* group : changed) groups.push(group_json(*group));
    for (const Count& one : reasons_)
        reasons.push(
            json::Value::object({{"why", json::Value(one.why)}, {"count", one.count}, {"first_line", one.line}}));
    return json::Value::object(
        {{"lines", taken_},
         {"judged", judged_},
         {"changed", changed_},
         {"groups", std::move(groups)},
         {"not_judged", std::move(reasons)},
         {"unreadable", json::Value::object({{"count", unreadable_count_}, {"lines", unreadable_}})}});
}

}  // namespace gateway::process
