// gatewayctl: asks a running gateway over its control socket and shows the answer.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "libgateway/base/strings.hpp"
#include "libgateway/base/unique_fd.hpp"
#include "libgateway/control/client.hpp"
#include "libgateway/control/command_line.hpp"
#include "libgateway/control/present.hpp"

namespace {

using gateway::control::Answer;
using gateway::control::CommandLine;
using gateway::control::Status;

int fail(Status status, const std::string& text) {
    std::cerr << "gatewayctl: " << text << '\n';
    return static_cast<int>(status);
}

// The server program: beside this one, where `make install` puts it, or on the path.
std::string server_program() {
    std::error_code error;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    for (const auto& candidate : {own / "gatewayd", own.parent_path() / "sbin" / "gatewayd"}) {
        if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
    }
    return "gatewayd";
}

[[noreturn]] void execute(const std::vector<std::string>& arguments) {
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    ::execvp(pointers[0], pointers.data());
    std::perror(pointers[0]);
    ::_exit(static_cast<int>(Status::unreachable));
}

// The command line of an offline part of the server program.
std::vector<std::string> tool(const char* name, const std::string& config_path) {
    std::vector<std::string> arguments{server_program(), "--tool", name};
    if (!config_path.empty()) arguments.insert(arguments.end(), {"-c", config_path});
    return arguments;
}

// Asks the server program where a static file puts the control socket; empty if it cannot tell (it says why itself).
std::string socket_of(const std::string& config_path) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    const gateway::UniqueFd reading(ends[0]);
    gateway::UniqueFd writing(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(writing.get(), STDOUT_FILENO);
        execute(tool("socket-path", config_path));
    }
    writing.reset();
    std::string path;
    std::array<char, 4096> buffer;
    for (ssize_t size = 0; (size = ::read(reading.get(), buffer.data(), buffer.size())) > 0;)
        path.append(buffer.data(), static_cast<std::size_t>(size));
    int status = 0;
    ::waitpid(child, &status, 0);
    while (!path.empty() && path.back() == '\n') path.pop_back();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? path : std::string();
}

// Checking needs the whole engine, not a running gateway.
[[noreturn]] void check_offline(const CommandLine& line) {
    std::vector<std::string> arguments = tool("check", line.config_path);
    if (line.request.flag("strict")) arguments.push_back("--strict");
    if (line.json) arguments.push_back("--json");
    if (const auto file = line.request.text("file"); !file.empty()) arguments.emplace_back(file);
    execute(arguments);
}

// Without a gateway its files tell.
[[noreturn]] void ask_files_about_plugins(const CommandLine& line) {
    std::vector<std::string> arguments = tool("plugin", line.config_path);
    if (line.json) arguments.push_back("--json");
    arguments.emplace_back(line.request.text("what"));
    if (const auto name = line.request.text("name"); !name.empty()) arguments.emplace_back(name);
    execute(arguments);
}

// The same for keys: they are in files, and a gateway that runs does not hand them out.
[[noreturn]] void keys_offline(const CommandLine& line) {
    std::vector<std::string> arguments = tool("keys", line.config_path);
    if (line.request.flag("dry_run")) arguments.push_back("--dry-run");
    if (line.request.flag("plain")) arguments.push_back("--plain");
    if (line.json) arguments.push_back("--json");
    arguments.emplace_back(line.request.text("what"));
    if (const auto file = line.request.text("file"); !file.empty()) arguments.emplace_back(file);
    execute(arguments);
}

// So does walking a log: the gateway has told what is to be compared, which travels in a memory file.
[[noreturn]] void replay_offline(const CommandLine& line, const std::string& sides) {
    const int file = ::memfd_create("sides", 0);
    for (std::string_view left = sides; file >= 0 && !left.empty();) {
        const ssize_t count = ::write(file, left.data(), left.size());
        if (count < 0) ::_exit(fail(Status::refused, "no memory for what the gateway answered"));
        left.remove_prefix(static_cast<std::size_t>(count));
    }
    std::vector<std::string> arguments = tool("replay", line.config_path);
    if (line.json) arguments.push_back("--json");
    arguments.push_back("/proc/self/fd/" + std::to_string(file));
    arguments.emplace_back(line.request.text("replay"));
    execute(arguments);
}

bool read_content(CommandLine& line) {
    std::string text;
    if (line.content_path == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream file(line.content_path, std::ios::binary);
        if (!file) return false;
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    line.request.arguments.set("content", gateway::json::Value(std::move(text)));
    return true;
}

// What it holds may be secret in part: nobody else gets to read it.
int write_output(const CommandLine& line, const Answer& answer) {
    const gateway::UniqueFd file(::open(line.output_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const std::string text = gateway::control::present(line.request, answer);
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.get()) != 0)
        return fail(Status::refused, line.output_path + ": cannot be written");
    return 0;
}

int show(const CommandLine& line, const Answer& answer) {
    const bool to_file = !line.output_path.empty() && line.output_path != "-";
    if (to_file && answer.status == Status::ok) return write_output(line, answer);
    if (line.json) {
        std::cout << gateway::control::write(answer);
    } else {
        std::cout << gateway::control::present(line.request, answer);
        for (const std::string& error : answer.errors) std::cerr << error << '\n';
    }
    return static_cast<int>(answer.status);
}

}  // namespace

int main(int argc, char* argv[]) {
    const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    CommandLine line = gateway::control::parse_command_line(arguments);
    if (!line.error.empty()) return fail(Status::usage, line.error);
    if (line.help) {
        std::cout << gateway::control::help_text();
        return 0;
    }
    if (line.request.command == "check") check_offline(line);
    if (line.request.command == "keys" && !line.request.flag("store")) keys_offline(line);
    if (!line.content_path.empty() && !read_content(line))
        return fail(Status::usage, line.content_path + ": cannot be read");
    if (line.request.command == "version" && !line.json) std::cout << "gatewayctl " GATEWAY_VERSION "\n";
    const std::string socket = line.socket_path.empty() ? socket_of(line.config_path) : line.socket_path;
    if (socket.empty())
        return fail(Status::unreachable, "no control socket known from " +
                                             (line.config_path.empty() ? "the static file" : line.config_path) +
                                             "; name it with -s");
    const Answer answer = gateway::control::ask(socket, line.request, line.limit);
    if (answer.status == Status::unreachable && line.request.command == "plugin") ask_files_about_plugins(line);
    const bool replays = line.request.command == "diff" && !line.request.text("replay").empty();
    if (replays && answer.status == Status::ok) replay_offline(line, answer.result);
    return show(line, answer);
}
