// Recorded requests through two configurations: which of them end elsewhere in the other one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libgateway/process/control_catalogue.hpp"
#include "libgateway/process/control_explain.hpp"
#include "libgateway/process/recorded_request.hpp"

namespace gateway::process {

// What is compared: two configurations of one gateway.
struct ReplaySides {
    DocumentView before, after;
    LogNames names;
    http::PathOptions path;
};

// Both sides as control hands them to `gatewayd --tool replay`: what is in force, and what would be. Secrets are
// replaced by digests under a key that nobody keeps, so that they can be compared and nothing else.
json::Value sides_to_json(const Catalogue& in_force, const sources::Document& after);
// Throws std::runtime_error if it is none of the above.
ReplaySides sides_from_json(const json::Value& value);

// Takes a log line by line. Matching is the very code that workers run; no plugin runs, so what one would do (answer,
// rewrite, choose another upstream) counts as part of the chain. One thread.
class Replay {
public:
    explicit Replay(ReplaySides sides);
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;
    // Lines without text are passed over.
    void take(std::string_view line);
    // The next line, where it cannot be had.
    void take_unreadable(std::string why);

    std::size_t judged() const noexcept { return judged_; }
    std::size_t changed() const noexcept { return changed_; }
    // {"lines", "judged", "changed", "groups": [{"count", "differs", "before", "after", "example"}], "not_judged",
    // "unreadable"}; groups by falling count.
    json::Value result() const;

private:
    // Where requests end. What is compared is text made once for each destination.
    struct Destination {
        json::Value shown;
        std::string route, chain, upstream;
    };
    struct Side {
        const DocumentView& view;
        // By route, null for none, and consumer.
        std::map<std::pair<const route::RouteRule*, std::string>, std::size_t> known;
        std::vector<Destination> destinations;
    };
    struct Group {
        std::size_t before, after, count, line;
        std::vector<std::string_view> differs;  // empty: nothing does
        std::string example;
    };
    struct Count {
        std::string why;
        std::size_t count, line;
    };
    std::size_t destination(Side& side, const route::RouteMatch& match, const std::string& consumer);
    Destination describe(const DocumentView& view, const route::RouteMatch& match, const std::string& consumer) const;
    Group& group_of(std::size_t before, std::size_t after);
    void compare(const RecordedRequest& request);
    void not_judged(std::string why);
    json::Value group_json(const Group& group) const;

    ReplaySides sides_;
    RouteNeeds needs_;
    Side before_{sides_.before, {}, {}}, after_{sides_.after, {}, {}};
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> known_groups_;
    std::vector<Group> groups_;
    std::vector<Count> reasons_;
    json::Value unreadable_ = json::Value::array();  // the first few
    std::size_t line_ = 0, taken_ = 0, judged_ = 0, changed_ = 0, unreadable_count_ = 0;
};

}  // namespace gateway::process
