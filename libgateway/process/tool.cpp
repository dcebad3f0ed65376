#include "libgateway/process/tool.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

#include "libgateway/control/present.hpp"
#include "libgateway/process/control_catalogue.hpp"
#include "libgateway/process/control_explain.hpp"
#include "libgateway/process/control_plan.hpp"
#include "libgateway/process/control_plugins.hpp"
#include "libgateway/process/tool_keys.hpp"
#include "libgateway/process/tool_replay.hpp"
#include "libgateway/route/shadow.hpp"

namespace gateway::process {

namespace {

constexpr int good = 0, invalid = 1, usage = 2;

struct ToolOptions {
    std::string config_path, error;
    std::vector<std::string> words;
    bool strict = false, json = false, dry_run = false, plain_texts = false;
    json::Value explain = json::Value::object();  // headers and from
};

ToolOptions parse(const std::vector<std::string>& arguments) {
    ToolOptions options;
    options.config_path = default_config();
    json::Value headers = json::Value::array();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        const bool valued =
            word == "-c" || word == "--config" || word == "-H" || word == "--from" || word == "--consumer";
        if (valued && i + 1 == arguments.size()) {
            options.error = word + " needs a value";
        } else if (word == "-c" || word == "--config") {
            options.config_path = arguments[++i];
        } else if (word == "-H") {
            headers.push(json::Value(arguments[++i]));
        } else if (word == "--from") {
            options.explain.set("from", json::Value(arguments[++i]));
        } else if (word == "--consumer") {
            options.explain.set("consumer", json::Value(arguments[++i]));
        } else if (word == "--strict") {
            options.strict = true;
        } else if (word == "--dry-run") {
            options.dry_run = true;
        } else if (word == "--plain") {
            options.plain_texts = true;
        } else if (word == "--json") {
            options.json = true;
        } else if (word.size() > 1 && word[0] == '-') {
            options.error = "unknown option " + word;
        } else {
            options.words.push_back(word);
        }
    }
    options.explain.set("headers", std::move(headers));
    return options;
}

int fail(int status, const std::string& text) {
    std::fprintf(stderr, "gatewayd: %s\n", text.c_str());
    return status;
}

// With the plugins of `plugins_dir`, as a gateway that starts now would have them.
config::StaticConfig load(const ToolOptions& options, config::Diagnostics& found) {
    return load_first_settings({options.config_path, ::geteuid() == 0}, found);
}

// Null if it cannot be had: an error, but for those who may not read the key file.
KeyringPtr ring_of(const config::StaticConfig& settings, const ToolOptions& options, config::Diagnostics& found) {
    if (!found.ok()) return nullptr;
    const std::string file = key_file_of(settings);
    if (settings.gateway.data_dir.empty() || ::access(file.c_str(), R_OK) == 0 || errno != EACCES)
        return load_keyring(settings, options.config_path, found);
    found.warning(file, {}, "", "this user may not read it: encrypted fields are not checked");
    return nullptr;
}

// Routes that nothing can reach and pairs that only their age tells apart, as warnings.
void find_conflicts(const config::StaticConfig& settings, const sources::Document& document, const std::string& file,
                    config::Diagnostics& found) {
    const DocumentView view(encode_full(document, 1), explain_settings(settings));
    const route::Findings conflicts = route::find_conflicts(view.router_kind(), view.rules());
    const auto warn = [&](const route::RouteRule& rule, std::string text) {
        const sources::ObjectPtr object = document.find(config::Kind::route, rule.id);
        found.warning(file, object ? object->where : json::Position(), "routes/" + rule.id, std::move(text));
    };
    for (const route::Shadowed& one : conflicts.shadowed) warn(*one.route, "no request can reach it: " + one.why);
    for (const route::Tie& tie : conflicts.ties)
        warn(*tie.loser, "ties with route [" + tie.winner->id + "] on " + tie.pattern + ": the older one wins");
}

int report(const config::Diagnostics& found, const ToolOptions& options) {
    const bool bad = !found.ok() || (options.strict && found.warnings() != 0);
    if (options.json) {
        const json::Value result = json::Value::object(
            {{"errors", found.errors()}, {"warnings", found.warnings()}, {"findings", found.to_json()}});
        std::printf("%s\n", json::write(result).c_str());
    } else {
        std::printf("%s%zu errors, %zu warnings\n", found.text().c_str(), found.errors(), found.warnings());
    }
    return bad ? invalid : good;
}

int check(const ToolOptions& options) {
    if (options.words.size() > 1) return fail(usage, "check takes one file at most");
    config::Diagnostics found;
    config::Diagnostics of_static;
    config::StaticConfig settings = load(options, of_static);
    // A route file alone is checked under the static file where there is one, else under the defaults.
    const bool alone = !options.words.empty() && ::access(options.config_path.c_str(), F_OK) != 0;
    if (alone) settings = {};
    if (!alone) found.append(of_static);
    sources::RouteFileSettings routes = route_file_settings(settings);
    if (!options.words.empty()) {
        routes.path = options.words[0];
        routes.json = routes.path.size() > 5 && routes.path.compare(routes.path.size() - 5, 5, ".json") == 0;
    }
    const KeyringPtr ring = ring_of(settings, options, found);
    sources::RouteFileResult result;
    const bool no_file = options.words.empty() && settings.standalone_api();
    if (!no_file)
        result = sources::read_route_file(routes, rules_for(settings, ring), config::process_environment(), {});
    found.append(result.diagnostics);
    Plan plan;
    if (of_static.ok() && !alone) {
        if (const std::string problem = make_plan(settings, plan); !problem.empty())
            found.error(options.config_path, {}, "", problem);
    }
    if (result.document) find_conflicts(settings, *result.document, routes.path, found);
    found.sort();
    return report(found, options);
}

int check_static(const ToolOptions& options) {
    config::Diagnostics found;
    const config::StaticConfig settings = load(options, found);
    Plan plan;
    const std::string problem = found.ok() ? make_plan(settings, plan) : std::string();
    if (!problem.empty()) found.error(options.config_path, {}, "", problem);
    ring_of(settings, options, found);
    if (!found.ok()) std::fputs(found.text().c_str(), stderr);
    return found.ok() ? good : invalid;
}

// A static file with errors elsewhere still tells where its gateway listens.
int socket_path(const ToolOptions& options) {
    config::Diagnostics found;
    const config::StaticConfig settings = load(options, found);
    if (settings.gateway.socket.empty() || ::access(options.config_path.c_str(), R_OK) != 0) {
        std::fputs(found.text().c_str(), stderr);
        return invalid;
    }
    // Errors may have hidden the true path: they are the better answer than "no such file".
    if (!found.ok() && ::access(settings.gateway.socket.c_str(), F_OK) != 0) std::fputs(found.text().c_str(), stderr);
    std::printf("%s\n", settings.gateway.socket.c_str());
    return good;
}

int explain(ToolOptions options) {
    if (options.words.size() != 2) return fail(usage, "usage: explain METHOD URL");
    config::Diagnostics found;
    const config::StaticConfig settings = load(options, found);
    const KeyringPtr ring = ring_of(settings, options, found);
    const sources::RouteFileResult result = sources::read_route_file(
        route_file_settings(settings), rules_for(settings, ring), config::process_environment(), {});
    found.append(result.diagnostics);
    if (!result.document || !found.ok()) {
        std::fputs(found.text().c_str(), stderr);
        return invalid;
    }
    options.explain.set("method", json::Value(options.words[0]));
    options.explain.set("url", json::Value(options.words[1]));
    control::Answer answer;
    answer.result = json::write(
        DocumentView(encode_full(*result.document, 1), explain_settings(settings)).explain(options.explain));
    const std::string text = options.json ? answer.result + "\n" : control::present({"explain", {}}, answer);
    std::fputs(text.c_str(), stdout);
    return good;
}

// The same answer as of a running gateway, as far as its files tell. A bad static file tells which plugins there are.
int plugin(const ToolOptions& options) {
    if (options.words.empty() || options.words.size() > 2) return fail(usage, "usage: plugin list|show NAME");
    config::Diagnostics found;
    const config::StaticConfig settings = load(options, found);
    const control::Answer answer =
        answer_about_plugins(options.words[0], options.words.size() > 1 ? options.words[1] : "", settings.plugins);
    const std::string text = options.json ? control::write(answer) : control::present({"plugin", {}}, answer);
    std::fputs(text.c_str(), stdout);
    if (!answer.errors.empty() && !options.json) std::fprintf(stderr, "%s\n", answer.errors[0].c_str());
    return static_cast<int>(answer.status);
}

}  // namespace

std::string default_config() {
    return config::default_static_file(config::process_environment());
}

int run_tool(std::string_view name, const std::vector<std::string>& arguments) try {
    const ToolOptions options = parse(arguments);
    if (!options.error.empty()) return fail(usage, options.error);
    if (name == "check") return check(options);
    if (name == "check-static") return check_static(options);
    if (name == "socket-path") return socket_path(options);
    if (name == "explain") return explain(options);
    if (name == "plugin") return plugin(options);
    if (name == "replay" && options.words.size() == 2)
        return run_replay(options.words[0], options.words[1], options.json);
    if (name == "keys")
        return run_keys({options.words, options.config_path, options.dry_run, options.json, options.plain_texts});
    return fail(usage, "unknown tool \"" + std::string(name) +
                           "\": check, check-static, socket-path, explain, plugin, keys, replay SIDES LOG");
} catch (const std::exception& error) {
    return fail(invalid, error.what());
}

}  // namespace gateway::process
