// diff --replay: hands out what is in force and what would be, for `gatewayd --tool replay` to walk a log through. The
// walk itself takes seconds and belongs to whoever asked.
#include "libgateway/process/control_history.hpp"
#include "libgateway/process/replay.hpp"

namespace gateway::process {

using control::Answer;
using control::Request;
using control::Status;

namespace {

Answer refuse_all(std::vector<std::string> errors) {
    return {Status::refused, std::move(errors), "null"};
}

std::vector<std::string> errors_in(const config::Diagnostics& found) {
    std::vector<std::string> errors;
    for (const config::Diagnostic& one : found.list()) {
        if (one.severity == config::Severity::error) errors.push_back(one.text());
    }
    return errors;
}

// What a reload would put in force.
Answer sides_of_reload(const Catalogue& now) {
    const Catalogue::Reading reading = now.read(Catalogue::Files::routes_only);
    if (!reading.document) return refuse_all(reading.errors());
    return {Status::ok, {}, json::write(sides_to_json(now, *reading.document))};
}

// The file in the place of everything that is in force.
Answer sides_of_file(const Catalogue& now, const std::string& text, const std::string& name) {
    const sources::RouteFileResult result =
        sources::parse_route_file(text, {name, false, false, false}, rules_for(now.settings(), now.keyring()),
                                  config::process_environment(), now.document());
    if (!result.document) return refuse_all(errors_in(result.diagnostics));
    return {Status::ok, {}, json::write(sides_to_json(now, *result.document))};
}

}  // namespace

asio::awaitable<Answer> replay_answer(Control& control, const Request& request) {
    if (request.arguments.find("revision"))
        co_return control::refuse(Status::usage, "diff --replay begins with what is in force: it takes no --rev");
    const Turnstile::Pass pass = co_await control.enter_writes();
    const Catalogue& now = control.catalogue();
    if (!now.keyring()) co_return control::refuse(Status::refused, "the keyring is not known: the static file is bad");
    const std::string text(request.text("content")), name(request.text("file"));
    const bool given = request.arguments.find("content");
    if (control.with_etcd() && !given) co_return control::refuse(Status::usage, std::string(no_route_file));
    const bool reload = !given || (name == now.route_file() && !control.with_etcd());
    auto work = [&now, text, name, reload] { return reload ? sides_of_reload(now) : sides_of_file(now, text, name); };
    Answer answer = co_await on_thread(control.builder(), std::move(work));
    co_return answer;
}

}  // namespace gateway::process
