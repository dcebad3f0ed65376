// What each command of the control socket does. Names and usage are in control/commands.hpp, for gatewayctl too.
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <cmath>

#include "libgateway/control/commands.hpp"
#include "libgateway/process/control_explain.hpp"
#include "libgateway/process/control_history.hpp"
#include "libgateway/process/control_plugins.hpp"
#include "libgateway/process/control_process.hpp"

namespace gateway::process {

namespace {

using control::Answer;
using control::Request;
using control::Status;

constexpr std::size_t places_a_turn = 500;  // finding the place of each of 100,000 in one go would hold up the loop
constexpr auto worker_answer_limit = std::chrono::milliseconds(1000);

json::Value texts(const std::vector<std::string>& list) {
    json::Value array = json::Value::array();
    for (const std::string& text : list) array.push(json::Value(text));
    return array;
}

Answer good(const json::Value& result) {
    Answer answer;
    answer.result = json::write(result);
    return answer;
}

asio::awaitable<Answer> status(Control& control, const Request&) {
    Answer answer = good(control.status()->to_json());
    if (!control.status()->not_ready().empty()) answer.status = Status::not_ready;
    co_return answer;
}

asio::awaitable<Answer> reload(Control& control, const Request&) {
    const Control::Outcome outcome = co_await control.reload("gatewayctl", Catalogue::Files::both);
    co_return answer_of(control, outcome);
}

// Kind and id of put and delete; the reason if they are none.
std::string read_object_name(const Request& request, config::Kind& kind, std::string& id) {
    const std::string_view text = request.text("kind");
    if (!config::parse_kind(text, kind) || !config::is_listed(kind))
        return "expected route, service, upstream, plugin_config, global_rule, consumer, consumer_group, "
               "plugin_metadata, secret, proto or stream_route, found \"" +
               std::string(text.substr(0, 64)) + "\"";
    id = request.text("id");
    return id.empty() ? "the id is missing" : "";
}

asio::awaitable<Answer> put(Control& control, const Request& request) {
    config::Kind kind{};
    std::string id;
    if (std::string why = read_object_name(request, kind, id); !why.empty()) co_return refuse(Status::usage, why);
    std::vector<store::Edit> edits{{kind, id, std::string(request.text("content")), std::nullopt, 0, 0}};
    Control::Cause cause{"put", {"gatewayctl", ""}};
    cause.only_changes = true;
    const Control::Outcome outcome = co_await control.change(std::move(edits), std::move(cause));
    co_return answer_of(control, outcome);
}

asio::awaitable<Answer> remove(Control& control, const Request& request) {
    config::Kind kind{};
    std::string id;
    if (std::string why = read_object_name(request, kind, id); !why.empty()) co_return refuse(Status::usage, why);
    std::vector<store::Edit> edits{{kind, id, std::nullopt, std::nullopt, 0, 0}};
    Control::Cause cause{"delete", {"gatewayctl", ""}};
    const Control::Outcome outcome = co_await control.change(std::move(edits), std::move(cause));
    co_return answer_of(control, outcome);
}

asio::awaitable<Answer> explain(Control& control, const Request& request) {
    auto view = co_await control.view();
    json::Value arguments = request.arguments;
    auto work = [view, arguments]() -> std::pair<json::Value, std::string> {
        try {
            return {view->explain(arguments), ""};
        } catch (const std::exception& error) {
            return {json::Value(), error.what()};
        }
    };
    auto outcome = co_await on_thread(control.builder(), std::move(work));
    if (!outcome.second.empty()) co_return refuse(Status::usage, outcome.second);
    if (json::Value* route = outcome.first.find("route"); route && route->is_object())
        route->set("where",
                   json::Value(control.catalogue().place_of(config::Kind::route, route->find("id")->string())));
    co_return good(outcome.first);
}

// What `show` lists from the document.
struct Listing {
    std::string_view what;
    config::Kind kind;
    json::Value (DocumentView::*rows)(std::string_view filter) const;
};
constexpr std::array listings{
    Listing{"routes", config::Kind::route, &DocumentView::routes},
    Listing{"upstreams", config::Kind::upstream, &DocumentView::upstreams},
    Listing{"consumers", config::Kind::consumer, &DocumentView::consumers},
    Listing{"consumer_groups", config::Kind::consumer_group, &DocumentView::consumer_groups},
    Listing{"plugin_metadata", config::Kind::plugin_metadata, &DocumentView::plugin_metadata},
};

const Listing* find_listing(std::string_view what) noexcept {
    for (const Listing& listing : listings) {
        if (listing.what == what) return &listing;
    }
    return nullptr;
}

asio::awaitable<void> add_places(Control& control, config::Kind kind, json::Value& rows) {
    std::size_t found = 0;
    for (json::Value& row : rows.make_array()) {
        row.set("where", json::Value(control.catalogue().place_of(kind, row.find("id")->string())));
        if (++found % places_a_turn == 0) co_await asio::post(control.loop(), asio::use_awaitable);
    }
}

asio::awaitable<Answer> show_objects(Control& control, Listing listing, std::string filter) {
    auto view = co_await control.view();
    auto work = [view, listing, filter] { return ((*view).*listing.rows)(filter); };
    json::Value rows = co_await on_thread(control.builder(), std::move(work));
    co_await add_places(control, listing.kind, rows);
    co_return good(rows);
}

// The lists of all workers in one; a worker that does not answer in time is named by an error.
asio::awaitable<Answer> show_connections(Control& control) {
    Answer answer;
    json::Value rows = json::Value::array();
    const std::vector<WorkerChannelPtr> channels = control.revisions().channels().all();
    for (const WorkerChannelPtr& channel : channels) {
        const std::string text = co_await control.revisions().channels().connections_of(channel, worker_answer_limit);
        json::ParseFailure failure;
        auto list = json::try_parse(text, failure, {64, max_packet, false});
        json::Value* connections = list ? list->find("connections") : nullptr;
        if (!connections) {
            answer.errors.push_back("worker " + std::to_string(channel->index()) + " does not tell its connections");
            answer.status = Status::not_ready;
            continue;
        }
        for (json::Value& row : connections->make_array()) {
            row.set("worker", channel->index());
            rows.push(std::move(row));
        }
    }
    answer.result = json::write(rows);
    co_return answer;
}

// CPU of one exchange in 64, waits of all.
asio::awaitable<Answer> show_plugins(Control& control, std::string route) {
    if (route.empty()) co_return refuse(Status::usage, "usage: gatewayctl show plugins --route ID");
    auto work = [&control, route] { return plugin_times(*control.segment(), route); };
    const auto times = co_await on_thread(control.builder(), std::move(work));
    json::Value rows = json::Value::array();
    for (const admin::PluginTime& time : times) {
        const double mean = static_cast<double>(time.nanoseconds) / static_cast<double>(time.count ? time.count : 1);
        rows.push(json::Value::object({{"plugin", json::Value(time.plugin)},
                                       {"phase", json::Value(time.phase)},
                                       {"kind", json::Value(time.kind)},
                                       {"count", time.count},
                                       {"mean_us", json::Value(std::round(mean / 10) / 100)}}));
    }
    co_return good(rows);
}

asio::awaitable<Answer> show(Control& control, const Request& request) {
    const std::string what(request.text("what"));
    const std::string filter(request.text("filter"));
    if (what == "workers") co_return good(control.status()->workers());
    if (what == "connections") {
        Answer answer = co_await show_connections(control);
        co_return answer;
    }
    if (what == "plugins") {
        Answer answer = co_await show_plugins(control, filter);
        co_return answer;
    }
    const Listing* listing = find_listing(what);
    if (!listing)
        co_return refuse(Status::usage,
                         "expected routes, upstreams, consumers, consumer_groups, plugin_metadata, "
                         "workers, connections or plugins, found \"" +
                             what.substr(0, 64) + "\"");
    Answer answer = co_await show_objects(control, *listing, filter);
    co_return answer;
}

asio::awaitable<Answer> plugin(Control& control, const Request& request) {
    const Catalogue& catalogue = control.catalogue();
    co_return answer_about_plugins(request.text("what"), request.text("name"),
                                   enabled_plugins(catalogue.document(), catalogue.settings()));
}

template <ToMaster Message>
asio::awaitable<Answer> tell_master(Control& control, const Request&) {
    control.master().send(Message);
    co_return good(Message == ToMaster::reopen_logs ? "log files are opened again"
                   : Message == ToMaster::stop      ? "stopping"
                                                    : "stopping after the requests under way");
}

asio::awaitable<Answer> version(Control&, const Request&) {
    co_return good(json::Value::object({{"version", GATEWAY_VERSION}}));
}

asio::awaitable<Answer> check(Control&, const Request&) {
    co_return refuse(Status::usage, "check is carried out by gatewayctl itself, with gatewayd --check");
}

constexpr std::array table{
    ControlCommand{"status", status, true},
    ControlCommand{"reload", reload, false, true},
    ControlCommand{"check", check, true},
    ControlCommand{"keys", keys_command, true},
    ControlCommand{"explain", explain, false},
    ControlCommand{"show", show, false},
    ControlCommand{"plugin", plugin, true},
    ControlCommand{"put", put, false, true},
    ControlCommand{"delete", remove, false, true},
    ControlCommand{"apply", apply_command, false, true},
    ControlCommand{"confirm", confirm_command, false, true},
    ControlCommand{"history", history_command, false},
    ControlCommand{"diff", diff_command, false},
    ControlCommand{"rollback", rollback_command, false, true},
    ControlCommand{"export", export_command, false},
    ControlCommand{"import", import_command, false, true},
    ControlCommand{"reopen", tell_master<ToMaster::reopen_logs>, true},
    ControlCommand{"stop", tell_master<ToMaster::stop>, true},
    ControlCommand{"quit", tell_master<ToMaster::quit>, true},
    ControlCommand{"version", version, true},
};
static_assert(table.size() == control::commands.size());

}  // namespace

Answer answer_of(const Control& control, const Control::Outcome& outcome) {
    json::Value lagging = json::Value::array();
    for (const std::uint32_t worker : outcome.lagging) lagging.push(worker);
    Answer answer;
    answer.status = outcome.status;
    answer.errors = outcome.record.errors;
    answer.result = json::write(json::Value::object({{"result", json::Value(outcome.record.result)},
                                                     {"revision", control.revision()},
                                                     {"changes", outcome.changes},
                                                     {"warnings", texts(outcome.record.warnings)},
                                                     {"needs_restart", texts(outcome.needs_restart)},
                                                     {"lagging", std::move(lagging)},
                                                     {"source", json::Value(control.situation().source)}}));
    return answer;
}

std::span<const ControlCommand> control_commands() {
    return table;
}

}  // namespace gateway::process
