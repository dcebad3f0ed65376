// gatewayd: reads its arguments and begins as the master, or does one thing and ends.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/process/entry.hpp"
#include "libgateway/process/tool.hpp"
#include "libgateway/process/upgrade.hpp"

namespace {

using gateway::process::Options;

constexpr int wrong_use = 2;
constexpr const char* usage =
    "usage: gatewayd [-c FILE]                 run; FILE is the static file, default /etc/gateway/gateway.yaml\n"
    "       gatewayd [-c FILE] --check [--strict] [--json]\n"
    "                                          report every error of the static file and the route file (also: -t)\n"
    "       gatewayd --tool NAME [ARGUMENTS]   an offline part of the engine, for gatewayctl\n"
    "       gatewayd --version | --help\n";

enum class Task { run, check, check_upgrade, tool, version, help };

struct Command {
    Task task = Task::run;
    std::string config = gateway::process::default_config();
    std::string tool;
    std::vector<std::string> rest;  // for the tool
    std::string wrong;              // not empty: what is wrong with the arguments
};

// Everything after --tool NAME belongs to the tool.
Command parse(const std::vector<std::string>& arguments) {
    Command command;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        const bool has_value = i + 1 < arguments.size();
        if (argument == "-c" || argument == "--config") {
            if (!has_value) command.wrong = argument + " needs a file";
            if (has_value) command.config = arguments[++i];
        } else if (argument == "--tool") {
            command.task = Task::tool;
            if (!has_value) {
                command.wrong = "--tool needs a name";
                return command;
            }
            command.tool = arguments[i + 1];
            command.rest.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 2, arguments.end());
            return command;
        } else if (argument == "--check" || argument == "-t") {
            command.task = Task::check;
        } else if (argument == "--check-upgrade") {
            command.task = Task::check_upgrade;
        } else if (argument == "--version" || argument == "-v") {
            command.task = Task::version;
        } else if (argument == "--help" || argument == "-h") {
            command.task = Task::help;
        } else if (argument == "--strict" || argument == "--json") {
            command.rest.push_back(argument);
        } else {
            command.wrong = "unknown argument " + argument;
        }
    }
    if (!command.rest.empty() && command.task != Task::check)
        command.wrong = command.rest.front() + " goes with --check";
    return command;
}

int check(const Command& command) {
    std::vector<std::string> arguments{"-c", command.config};
    arguments.insert(arguments.end(), command.rest.begin(), command.rest.end());
    return gateway::process::run_tool("check", arguments);
}

// Whether this binary could take the place of the master that asks: it understands its state and its static file.
int check_upgrade(const Command& command) {
    if (!gateway::process::upgrade_format_agrees()) {
        std::fputs("gatewayd " GATEWAY_VERSION ": cannot take over from this version, restart instead\n", stderr);
        return 1;
    }
    return gateway::process::run_tool("check-static", {"-c", command.config});
}

int carry_out(const Command& command, const std::vector<std::string>& arguments) {
    switch (command.task) {
        case Task::run:
            return gateway::process::run_master(Options{std::filesystem::absolute(command.config).string(), arguments});
        case Task::check:
            return check(command);
        case Task::check_upgrade:
            return check_upgrade(command);
        case Task::tool:
            return gateway::process::run_tool(command.tool, command.rest);
        case Task::version:
            return std::puts("gatewayd " GATEWAY_VERSION) < 0;
        case Task::help:
            return std::fputs(usage, stdout) < 0;
    }
    return wrong_use;
}

}  // namespace

int main(int argc, char* argv[]) try {
    const std::vector<std::string> arguments(argv, argv + argc);
    const Command command = parse(arguments);
    if (!command.wrong.empty()) {
        std::fprintf(stderr, "gatewayd: %s\n%s", command.wrong.c_str(), usage);
        return wrong_use;
    }
    return carry_out(command, arguments);
} catch (const std::exception& error) {
    std::fprintf(stderr, "gatewayd: %s\n", error.what());
    return 1;
}
