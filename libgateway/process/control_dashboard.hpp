// What control tells the dashboard: commands of gatewayctl, and lists of routes and upstreams with what was counted.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libgateway/admin/dashboard.hpp"
#include "libgateway/process/control_traffic.hpp"
#include "libgateway/sources/document.hpp"

namespace gateway::process {

class Control;

// Loop thread of control; owned by the AdminDoor.
class ControlDashboard final : public admin::Dashboard {
public:
    explicit ControlDashboard(Control& control) : control_(control) {}
    json::Value status() const override;
    Coming routes(admin::ListQuestion question) override;
    Coming upstreams(admin::ListQuestion question) override;
    Coming history(std::uint64_t most) override;
    Coming revision(std::uint64_t number) override;
    Coming explain(json::Value arguments) override;
    Coming roll_back(std::uint64_t number, store::Author author) override;

private:
    Coming run(std::string_view command, json::Value arguments);
    json::Value row_of(const sources::Object& route, const RouteCounts& counts) const;
    json::Value read(config::Kind kind, const std::string& id) const;

    Control& control_;
};

// The rows of one answer, of all that there are.
struct Chosen {
    std::vector<sources::ObjectPtr> rows;
    std::size_t total = 0;
};
// Routes with most answers first, then by their rank.
Chosen choose_routes(std::vector<sources::ObjectPtr> routes, const RouteCounts& counts,
                     const admin::ListQuestion& question);
// Objects that bring nodes, upstreams first.
Chosen choose_upstreams(std::vector<sources::ObjectPtr> objects, const admin::ListQuestion& question);
// An upstream as a row: {"owner", "name", "type", "scheme", "nodes": [{"host", "port", "weight", "priority",
// "health"}]}. `object` is an upstream, or a service or route that has one of its own.
json::Value upstream_row(config::Kind kind, std::string_view id, const json::Value& object);

}  // namespace gateway::process
