// Why a request ends where it ends, and lists of what is in force: computed from one revision's document, off the loop.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/http/path.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/process/control_journal.hpp"
#include "libgateway/route/router.hpp"

namespace gateway::process {

struct ExplainSettings {
    route::RouterKind router = route::RouterKind::uri;
    http::PathOptions path;
    bool plugin_config_overrides_route = true;
    bool masks_secrets = true;  // false: the objects hold none, or what stands for them is to be compared
};

ExplainSettings explain_settings(const config::StaticConfig& settings);

// A member that is an id, which may be written as a number; empty if there is none.
std::string id_of(const json::Value& object, std::string_view name);
// Nodes of an upstream as an array, whichever of both forms they are written in.
json::Value node_rows(const json::Value& upstream);

// One revision, read once. Used by one thread at a time (control's builder, or a tool). Matching is the very code that
// workers run, with an observer.
class DocumentView {
public:
    // Throws if the delta is damaged or holds an object that no worker could use.
    DocumentView(FullDelta document, ExplainSettings settings);

    std::uint64_t revision() const noexcept { return document_.revision; }
    route::RouterKind router_kind() const noexcept { return settings_.router; }
    // Of all routes that are not switched off, by id.
    const std::vector<Ref<const route::RouteRule>>& rules() const noexcept { return rules_; }
    // As a worker would find it.
    route::RouteMatch find(const route::MatchInput& input) const { return router_.find(input); }
    // What becomes of a request that matched this route, as explain tells it; empty `consumer`: nobody's.
    json::Value reached(const route::RouteRule& rule, std::string_view consumer) const;
    bool has(config::Kind kind, std::string_view id) const { return of(kind).count(id) != 0; }
    // See ImaginedRequest for the arguments; throws std::runtime_error if they are wrong.
    json::Value explain(const json::Value& arguments) const;
    // Rows for people; those whose id or any shown text contains `filter`.
    json::Value routes(std::string_view filter) const;
    json::Value upstreams(std::string_view filter) const;
    json::Value consumers(std::string_view filter) const;  // without any credential's content
    json::Value consumer_groups(std::string_view filter) const;
    json::Value plugin_metadata(std::string_view filter) const;

private:
    using Objects = std::map<std::string_view, config::Change, std::less<>>;
    const Objects& of(config::Kind kind) const { return objects_[static_cast<std::size_t>(kind)]; }
    json::Value object(config::Kind kind, std::string_view id) const;  // null if there is none
    void add_route(const config::Change& change);
    // The consumer that the request is imagined to be made for.
    struct Asker {
        std::string id, group_id;  // empty: nobody
        json::Value consumer, group;
    };
    Asker asker(std::string id) const;
    json::Value matched(const route::RouteRule& rule, const Asker& asker) const;
    json::Value chain_of(std::string_view id, const json::Value& route, const json::Value& service,
                         const json::Value& plugin_config, const Asker& asker) const;
    json::Value target_of(std::string_view id, const json::Value& route, const json::Value& service,
                          std::string& outcome) const;

    FullDelta document_;
    ExplainSettings settings_;
    std::array<Objects, config::kind_count> objects_;  // views into document_
    route::Router router_;
    std::vector<Ref<const route::RouteRule>> rules_;
};

}  // namespace gateway::process
