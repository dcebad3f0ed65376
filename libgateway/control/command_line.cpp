#include "libgateway/control/command_line.hpp"

#include "libgateway/base/strings.hpp"
#include "libgateway/control/commands.hpp"
#include "libgateway/control/table.hpp"

namespace gateway::control {

namespace {

class Parser {
public:
    explicit Parser(std::span<const std::string_view> arguments) : left_(arguments) {}

    CommandLine run() {
        bool options = true;
        while (!left_.empty() && line_.error.empty()) {
            const std::string_view word = take();
            if (options && word == "--") {
                options = false;
            } else if (options && word.size() > 1 && word[0] == '-') {
                take_option(word);
            } else {
                words_.emplace_back(word);
            }
        }
        if (line_.error.empty() && !line_.help) take_words();
        return std::move(line_);
    }

private:
    std::string_view take() {
        const std::string_view word = left_.front();
        left_ = left_.subspan(1);
        return word;
    }
    std::string value_of(std::string_view option) {
        if (!left_.empty()) return std::string(take());
        line_.error = std::string(option) + " needs a value";
        return {};
    }
    void take_option(std::string_view option) {
        json::Value& arguments = line_.request.arguments;
        if (option == "-c" || option == "--config") {
            line_.config_path = value_of(option);
        } else if (option == "-s" || option == "--socket") {
            line_.socket_path = value_of(option);
        } else if (option == "--json") {
            line_.json = true;
        } else if (option == "-h" || option == "--help") {
            line_.help = true;
        } else if (option == "--version") {
            words_.insert(words_.begin(), "version");
        } else if (option == "--timeout") {
            take_limit(value_of(option));
        } else if (option == "--strict") {
            arguments.set("strict", true);
        } else if (option == "--dry-run") {
            arguments.set("dry_run", true);
        } else if (option == "--store") {
            arguments.set("store", true);
        } else if (option == "--plain") {
            arguments.set("plain", true);
        } else if (option == "--prune") {
            arguments.set("prune", true);
        } else if (option == "--confirm-within") {
            arguments.set("confirm_within", json::Value(value_of(option)));
        } else if (option == "--revert-if") {
            arguments.set("revert_if", json::Value(value_of(option)));
        } else if (option == "--rev") {
            arguments.set("revision", json::Value(value_of(option)));
        } else if (option == "--replay") {
            arguments.set("replay", json::Value(value_of(option)));
        } else if (option == "-n") {
            arguments.set("count", json::Value(value_of(option)));
        } else if (option == "--from") {
            arguments.set("from", json::Value(value_of(option)));
        } else if (option == "--route") {
            arguments.set("filter", json::Value(value_of(option)));
        } else if (option == "--consumer") {
            arguments.set("consumer", json::Value(value_of(option)));
        } else if (option == "-H" || option == "--header") {
            json::Value* headers = arguments.find("headers");
            (headers ? *headers : arguments.set("headers", json::Value::array())).push(json::Value(value_of(option)));
        } else {
            line_.error = "unknown option " + std::string(option);
        }
    }
    void take_limit(const std::string& text) {
        const auto seconds = parse_decimal<std::uint32_t>(text);
        if (!seconds || *seconds == 0 || *seconds > 86'400) {
            line_.error = "--timeout: expected seconds from 1 to 86400, found \"" + text + "\"";
        } else {
            line_.limit = std::chrono::seconds(*seconds);
        }
    }
    // The words behind the command become arguments by position; `names` ends the optional ones with `?`.
    void name_words(std::initializer_list<std::string_view> names) {
        std::size_t at = 1;
        for (std::string_view name : names) {
            const bool optional = name.back() == '?';
            if (optional) name.remove_suffix(1);
            if (at < words_.size()) {
                line_.request.arguments.set(name, json::Value(words_[at++]));
            } else if (!optional) {
                return usage_error();
            }
        }
        if (at < words_.size()) usage_error();
    }
    void usage_error() {
        const CommandHelp* command = find_command(words_[0]);
        line_.error = "usage: gatewayctl " + std::string(command ? command->usage : "[options] COMMAND");
    }
    void take_words() {
        if (words_.empty()) {
            line_.error = "no command; gatewayctl --help lists them";
            return;
        }
        const std::string& command = words_[0];
        if (!find_command(command)) return unknown_command(command);
        line_.request.command = command;
        if (command == "explain") {
            name_words({"method", "url"});
        } else if (command == "show") {
            name_words({"what", "filter?"});
        } else if (command == "plugin") {
            name_words({"what", "name?"});
            if (line_.error.empty() && (words_[1] != "list" || words_.size() != 2) &&
                (words_[1] != "show" || words_.size() != 3))
                usage_error();
        } else if (command == "put") {
            name_words({"kind", "id", "content"});
            if (line_.error.empty()) line_.content_path = words_[3];
        } else if (command == "apply" || command == "import" || command == "diff") {
            name_words({command == "diff" ? "file?" : "file"});
            line_.content_path = line_.request.text("file");
            const std::string_view log = line_.request.text("replay");
            const bool past = line_.request.arguments.find("revision") != nullptr;
            if (command == "diff" && !log.empty() && (past || (log == "-" && line_.content_path == "-"))) usage_error();
        } else if (command == "export") {
            name_words({"file?"});
            line_.output_path = line_.request.text("file");
        } else if (command == "history" || command == "rollback") {
            name_words({command == "history" ? "revision?" : "revision"});
        } else if (command == "delete") {
            name_words({"kind", "id"});
        } else if (command == "check") {
            name_words({"file?"});
        } else if (command == "keys") {
            name_words({"what", "file?"});
            const std::string_view what = line_.request.text("what");
            const bool file = !line_.request.text("file").empty(), store = line_.request.flag("store");
            const bool fits = what == "check" ? !store : what == "reencrypt" && file != store;
            if (line_.error.empty() && !fits) usage_error();
        } else {
            name_words({});
        }
    }
    void unknown_command(const std::string& command) {
        std::vector<std::string_view> names;
        for (const CommandHelp& one : commands) names.push_back(one.name);
        const std::string_view near = nearest(command, names);
        line_.error = "unknown command \"" + printable(command) + "\"" +
                      (near.empty() ? std::string() : ", did you mean \"" + std::string(near) + "\"?");
    }

    std::span<const std::string_view> left_;
    std::vector<std::string> words_;
    CommandLine line_;
};

}  // namespace

CommandLine parse_command_line(std::span<const std::string_view> arguments) {
    return Parser(arguments).run();
}

std::string help_text() {
    std::string text =
        "usage: gatewayctl [-c FILE | -s SOCKET] [--json] [--timeout SECONDS] COMMAND\n\n"
        "  -c FILE     static file of the gateway (default /etc/gateway/gateway.yaml)\n"
        "  -s SOCKET   its control socket\n"
        "  --json      the answer as JSON\n\n";
    Table table({"command", ""});
    for (const CommandHelp& command : commands) table.add({std::string(command.usage), std::string(command.help)});
    text += table.text();
    return text +
           "\nexit status: 0 done, 1 refused or invalid, 2 usage (of diff --replay: requests would end elsewhere), "
           "3 gateway not reachable, 4 not ready or a worker lags\n";
}

}  // namespace gateway::control
