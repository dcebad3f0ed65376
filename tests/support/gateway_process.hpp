// A whole gateway for one end-to-end test: configuration in a folder of its own, port 0, real processes, real
// gatewayctl.
#pragma once

#include <boost/json/value.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace gateway::test {

// What a test says about its gateway; everything else is the default of the static file.
struct GatewayOptions {
    std::string routes = "routes: []\n";  // the route file
    std::string static_file{};            // the whole static file, if the one made of the parts below will not do
    int workers = 1;
    std::string apisix{};                    // further lines below `apisix:`, two blanks deep
    std::string nginx_config{};              // further lines below `nginx_config:`, two blanks deep
    std::string further{};                   // further top-level keys
    std::vector<std::string> environment{};  // "NAME=value"
    bool wait = true;                        // until ready; otherwise the test waits itself
};

// The master is a child of the test; the destructor kills the whole process group.
class GatewayProcess {
public:
    explicit GatewayProcess(GatewayOptions options = {});

    // Port of the first plain listener; of the n-th. Taken from the status once and kept.
    std::uint16_t port(std::size_t listener = 0);
    // The Admin API: its port, and the key that was made for it.
    std::uint16_t admin_port() const;
    std::string admin_key() const;
    std::uint16_t control_port() const;  // of the Control API
    // Replaces the route file; with reload() afterwards the change is live when reload() returns.
    void write_routes(std::string_view text) { folder_.write("routes.yaml", text); }
    void write_static(std::string_view text) { folder_.write("gateway.yaml", text); }
    RunResult ctl(std::vector<std::string> args, milliseconds limit = milliseconds(20000)) const;
    RunResult reload(std::string_view routes);  // write_routes, then `gatewayctl reload`
    RunResult put(std::string_view kind, std::string_view id, std::string_view json);
    // The result of `gatewayctl --json status`; null if there is no answer.
    boost::json::value status() const;
    bool ready() const;                  // control takes commands, and every worker is in state "ready"
    bool workers_ready() const;          // every worker is, whatever control is at
    std::vector<pid_t> workers() const;  // pids by index, from the status
    pid_t control() const;

    Process& master() noexcept { return master_; }
    const TempDir& folder() const noexcept { return folder_; }
    // Everything the processes wrote to stderr so far: the error log goes there.
    std::string log() const { return master_.output(); }
    std::string config() const { return (folder_ / "gateway.yaml").string(); }
    // Stops the master and returns its exit status; 128 + 9 if it had to be killed.
    int stop(int signal);

private:
    std::string static_text(const GatewayOptions& options) const;

    TempDir folder_;
    std::vector<std::string> environment_;
    std::vector<std::uint16_t> ports_;
    Process master_;
};

// The path of a program of this build.
std::string program(std::string_view name);
// Route file text with one route `/*` to the given node ("127.0.0.1:1234").
std::string route_to(std::string_view node, std::string_view further_lines = {});

}  // namespace gateway::test
