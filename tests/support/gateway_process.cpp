#include "tests/support/gateway_process.hpp"

#include <signal.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace gateway::test {
namespace {

using namespace std::chrono_literals;

const boost::json::value* member(const boost::json::value& value, std::string_view key) {
    return value.is_object() ? value.as_object().if_contains(key) : nullptr;
}
const boost::json::array* list(const boost::json::value& value, std::string_view key) {
    const auto* found = member(value, key);
    return found != nullptr ? found->if_array() : nullptr;
}
std::int64_t number(const boost::json::value& value, std::string_view key, std::int64_t otherwise) {
    const auto* found = member(value, key);
    return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : otherwise;
}

bool all_workers_ready(const boost::json::value& status) {
    const auto* workers = list(status, "workers");
    if (workers == nullptr || workers->empty()) return false;
    for (const auto& worker : *workers) {
        const auto* state = member(worker, "state");
        if (state == nullptr || !state->is_string() || state->as_string() != "ready") return false;
    }
    return true;
}

}  // namespace

std::string program(std::string_view name) {
    return std::string(GATEWAY_BIN_DIR) + "/" + std::string(name);
}

std::string route_to(std::string_view node, std::string_view further_lines) {
    std::string text = "routes:\n  - id: 1\n    uri: /*\n    upstream:\n      type: roundrobin\n      nodes: {\"";
    text.append(node).append("\": 1}\n").append(further_lines);
    return text;
}

GatewayProcess::GatewayProcess(GatewayOptions options) : environment_(options.environment) {
    environment_.push_back("LOGS_DIRECTORY=" + (folder_ / ".").string());
    folder_.write("gateway.yaml", options.static_file.empty() ? static_text(options) : options.static_file);
    folder_.write("routes.yaml", options.routes);
    master_ = Process({program("gatewayd"), "-c", config()}, folder_ / "output", environment_);
    if (!options.wait) return;
    if (!eventually([this] { return ready() || !master_.running(); }, 20s) || !master_.running()) {
        throw std::runtime_error("the gateway did not get ready:\n" + log());
    }
}

std::string GatewayProcess::static_text(const GatewayOptions& options) const {
    std::string text = "apisix:\n";
    if (options.apisix.find("node_listen") == std::string::npos) text += "  node_listen: [{ip: 127.0.0.1, port: 0}]\n";
    if (options.apisix.find("control:") == std::string::npos) text += "  control: {port: 0}\n";
    text += options.apisix;
    text += "nginx_config:\n  error_log: stderr\n  worker_processes: " + std::to_string(options.workers) + "\n";
    text += options.nginx_config;
    text += "gateway:\n  data_dir: data\n  socket: gateway.sock\n";
    text += options.further;
    if (options.further.find("deployment:") == std::string::npos)
        text += "deployment: {admin: {admin_listen: {port: 0}}}\n";
    if (options.further.find("plugin_attr:") == std::string::npos)
        text += "plugin_attr: {prometheus: {export_addr: {port: 0}, refresh_interval: 0.2}}\n";
    return text;
}

RunResult GatewayProcess::ctl(std::vector<std::string> args, milliseconds limit) const {
    args.insert(args.begin(), {program("gatewayctl"), "-c", config()});
    return run(std::move(args), limit, environment_);
}

RunResult GatewayProcess::reload(std::string_view routes) {
    write_routes(routes);
    return ctl({"reload"});
}

RunResult GatewayProcess::put(std::string_view kind, std::string_view id, std::string_view json) {
    const auto file = folder_.write("object.json", json);
    return ctl({"put", std::string(kind), std::string(id), file.string()});
}

boost::json::value GatewayProcess::status() const {
    const RunResult answer = ctl({"--json", "status"});
    boost::system::error_code error;
    const auto parsed = boost::json::parse(answer.out, error);
    const auto* result = error ? nullptr : member(parsed, "result");
    return result != nullptr ? *result : boost::json::value();
}

bool GatewayProcess::ready() const {
    const auto now = status();
    const auto* gateway = member(now, "state");
    // A control that has just come back answers, but takes no command.
    return gateway != nullptr && gateway->is_string() && gateway->as_string() != "loading" && all_workers_ready(now);
}

bool GatewayProcess::workers_ready() const {
    return all_workers_ready(status());
}

std::vector<pid_t> GatewayProcess::workers() const {
    std::vector<pid_t> pids;
    const auto now = status();
    if (const auto* workers = list(now, "workers")) {
        for (const auto& worker : *workers) pids.push_back(static_cast<pid_t>(number(worker, "pid", -1)));
    }
    return pids;
}

pid_t GatewayProcess::control() const {
    const auto now = status();
    const auto* control = member(now, "control");
    return static_cast<pid_t>(control != nullptr ? number(*control, "pid", -1) : -1);
}

std::uint16_t GatewayProcess::port(std::size_t listener) {
    if (ports_.size() <= listener) {
        ports_.clear();
        const auto now = status();
        if (const auto* listeners = list(now, "listeners")) {
            for (const auto& entry : *listeners) ports_.push_back(static_cast<std::uint16_t>(number(entry, "port", 0)));
        }
    }
    if (ports_.size() <= listener) throw std::runtime_error("the status names no listener " + std::to_string(listener));
    return ports_[listener];
}

std::uint16_t GatewayProcess::admin_port() const {
    return static_cast<std::uint16_t>(number(status(), "admin_port", 0));
}

std::uint16_t GatewayProcess::control_port() const {
    return static_cast<std::uint16_t>(number(status(), "control_port", 0));
}

std::string GatewayProcess::admin_key() const {
    std::ifstream in(folder_ / "data/admin.key");
    std::string key;
    std::getline(in, key);
    return key;
}

int GatewayProcess::stop(int signal) {
    master_.signal(signal);
    const auto status = master_.wait(20s);
    if (!status) master_.kill();
    return status.value_or(128 + SIGKILL);
}

}  // namespace gateway::test
