#include "libgateway/process/tool_replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>

#include "libgateway/config/read_file.hpp"
#include "libgateway/control/table.hpp"
#include "libgateway/control/wire.hpp"
#include "libgateway/process/replay.hpp"

namespace gateway::process {

using control::cell;

namespace {

constexpr int same = 0, failed = 1, differs = 2;
constexpr std::size_t longest_line = 1 << 20;  // an access log cuts lines at 64 KiB, logger plugins write bodies
constexpr std::size_t groups_told = 50;

int fail(const std::string& text) {
    std::fprintf(stderr, "gatewayd: %s\n", text.c_str());
    return failed;
}

// Every line; one that is too long is skipped without being held whole.
void read_lines(std::istream& log, Replay& replay) {
    std::string line, chunk(64 << 10, '\0');
    bool too_long = false;
    const auto end_line = [&] {
        if (too_long) replay.take_unreadable("longer than 1 MiB");
        if (!too_long) replay.take(line);
        line.clear();
        too_long = false;
    };
    while (log.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), log.gcount() > 0) {
        std::string_view bytes(chunk.data(), static_cast<std::size_t>(log.gcount()));
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            too_long = too_long || line.size() + std::min(end, bytes.size()) > longest_line;
            if (!too_long) line.append(bytes.substr(0, end));
            if (end == std::string_view::npos) break;
            end_line();
            bytes.remove_prefix(end + 1);
        }
    }
    if (!line.empty() || too_long) end_line();
}

// "route 12 (proxied) to upstreams/7 (10.0.0.1:80), plugins key-auth cors"
std::string destination_text(const json::Value& shown) {
    if (!shown.find("plugins")) return "no route: 404";
    return fmt::format("route {}, {}, upstream {} ({}), plugins {}{}", cell(shown, "route"), cell(shown, "outcome"),
                       cell(shown, "upstream"), cell(shown, "nodes"), cell(shown, "plugins"),
                       shown.find("consumer") ? ", consumer " + cell(shown, "consumer") : "");
}

std::string group_text(const json::Value& group) {
    const json::Value& example = *group.find("example");
    return fmt::format("{} {}: another {}\n  - {}\n  + {}\n  e.g. line {}: {}\n", cell(group, "count"),
                       cell(group, "count") == "1" ? "request" : "requests", cell(group, "differs"),
                       destination_text(*group.find("before")), destination_text(*group.find("after")),
                       cell(example, "line"), cell(example, "request"));
}

std::string report(const json::Value& result) {
    std::string text;
    const auto& groups = result.find("groups")->items();
    for (std::size_t i = 0; i < std::min(groups.size(), groups_told); ++i) text += group_text(groups[i]);
    if (groups.size() > groups_told)
        text += fmt::format("and {} more ways (--json tells all)\n", groups.size() - groups_told);
    for (const json::Value& one : result.find("not_judged")->items())
        text += fmt::format("{} not judged, the first in line {}: {}\n", cell(one, "count"), cell(one, "first_line"),
                            cell(one, "why"));
    const json::Value& unreadable = *result.find("unreadable");
    for (const json::Value& one : unreadable.find("lines")->items())
        text += fmt::format("not readable: line {}: {}\n", cell(one, "line"), cell(one, "why"));
    return text + fmt::format("{} lines: {} judged, {} of them would end elsewhere; {} not readable\n",
                              cell(result, "lines"), cell(result, "judged"), cell(result, "changed"),
                              cell(unreadable, "count"));
}

std::optional<ReplaySides> read_sides(const std::string& path, std::string& why) {
    std::string text;
    if (const int error = config::read_file(path, text, control::most_answer_bytes)) {
        why = config::why_unreadable(path, error);
        return std::nullopt;
    }
    json::ParseFailure failure;
    const auto value = json::try_parse(text, failure, {1000, control::most_answer_bytes, false});
    if (!value) why = failure.what;
    if (!value) return std::nullopt;
    return sides_from_json(*value);
}

int walk(std::istream& log, ReplaySides sides, bool json) {
    Replay replay(std::move(sides));
    read_lines(log, replay);
    const json::Value result = replay.result();
    const std::string text = json ? json::write(result) + "\n" : report(result);
    std::fputs(text.c_str(), stdout);
    if (replay.judged() == 0)
        return fail(
            "no line could be judged: expected lines of JSON with at least request_method and request_uri, as "
            "nginx_config.http.access_log_format and access_log_format_escape: json make them");
    return replay.changed() == 0 ? same : differs;
}

}  // namespace

int run_replay(const std::string& sides, const std::string& log, bool json) {
    std::string why;
    auto read = read_sides(sides, why);
    if (!read) return fail("the gateway's answer cannot be read: " + why);
    if (log == "-") return walk(std::cin, std::move(*read), json);
    std::ifstream file(log, std::ios::binary);
    if (!file) return fail(log + ": cannot be read");
    return walk(file, std::move(*read), json);
}

}  // namespace gateway::process
