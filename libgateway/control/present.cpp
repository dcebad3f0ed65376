#include "libgateway/control/present.hpp"

#include "libgateway/control/table.hpp"

namespace gateway::control {

namespace {

std::string table_of(const json::Value& rows, std::initializer_list<std::string_view> names) {
    Table table(std::vector<std::string>(names.begin(), names.end()));
    for (const json::Value& row : rows.items()) {
        std::vector<std::string> cells;
        for (std::string_view name : names) cells.push_back(cell(row, name));
        table.add(std::move(cells));
    }
    return table.text();
}

std::string lines_of(const json::Value& list, std::string_view before) {
    std::string text;
    for (const json::Value& item : list.items()) text.append(before).append(printable(item.string())) += '\n';
    return text;
}

std::string status_text(const json::Value& result) {
    const json::Value& last = member(result, "last_reload");
    std::string text = "gateway " + cell(result, "version") + ": " + cell(result, "state");
    if (!member(result, "not_ready").string().empty()) text += " (" + cell(result, "not_ready") + ")";
    text += "\nrevision " + cell(result, "revision") + "  digest " + cell(result, "digest") + "  since " +
            cell(result, "changed_at") + "\nsource   " + cell(result, "source") + "\n";
    if (result.find("store") && !member(result, "store").string().empty()) {
        const bool well = member(result, "store_problem").string().empty();
        text += "store    " + (well ? cell(result, "store") : cell(result, "store_problem")) + "\n";
    }
    if (result.find("trial") && !member(result, "trial").string().empty())
        text += "trial    " + cell(result, "trial") + "\n";
    text += "reload   " + cell(last, "result") + " at " + cell(last, "time") + " by " + cell(last, "by") + "\n";
    text += lines_of(member(last, "errors"), "         ") + lines_of(member(last, "warnings"), "         ");
    text += "master   pid " + cell(member(result, "master"), "pid") + "   control pid " +
            cell(member(result, "control"), "pid") + "\n\n";
    text += table_of(member(result, "workers"),
                     {"index", "pid", "state", "incarnation", "revision", "connections", "requests", "lagging_since"});
    return text + "\n" + table_of(member(result, "listeners"), {"listener", "address", "port", "proxy_protocol"});
}

std::string reload_text(const json::Value& result) {
    if (cell(result, "result") == "refused") return "refused, revision " + cell(result, "revision") + " stays\n";
    std::string text = "revision " + cell(result, "revision") + ", " + cell(result, "changes") + " changes\n";
    text += lines_of(member(result, "warnings"), "");
    if (const json::Value& names = member(result, "needs_restart"); !names.items().empty())
        text += "needs a restart: " + cell(result, "needs_restart") + "\n";
    return text;
}

std::string considered_text(const json::Value& routes) {
    std::string text;
    for (const json::Value& route : routes.items()) {
        text += "  route " + cell(route, "route") + ": " + cell(route, "failed") + "\n";
    }
    return text;
}

std::string explain_text(const json::Value& result) {
    const json::Value& route = member(result, "route");
    if (route.is_null()) {
        const std::string nearest = considered_text(member(result, "nearest"));
        return "no route: 404 for " + cell(result, "host") + " " + cell(result, "path") + "\n" +
               (nearest.empty() ? std::string() : "nearest routes and what failed first:\n" + nearest);
    }
    std::string text =
        "route    " + cell(route, "id") + "  " + cell(route, "uri") + "  (" + cell(route, "where") + ")\n";
    text += "outcome  " + cell(result, "outcome") + "\n";
    if (member(route, "service_id").is_string()) text += "service  " + cell(route, "service_id") + "\n";
    if (member(result, "consumer").is_object()) {
        text += "consumer " + cell(member(result, "consumer"), "id") + "  group " +
                cell(member(result, "consumer"), "group") + "\n";
    }
    if (const json::Value& chain = member(result, "chain"); !chain.items().empty())
        text += "chain\n" + table_of(chain, {"plugin", "priority", "source", "enabled"});
    if (const json::Value& nodes = member(member(result, "upstream"), "nodes"); !nodes.items().empty()) {
        text += "upstream " + cell(member(result, "upstream"), "source") + "\n" +
                table_of(nodes, {"host", "port", "weight", "priority"});
    }
    const std::string passed_over = considered_text(member(result, "considered"));
    return passed_over.empty() ? text : text + "passed over:\n" + passed_over;
}

std::string show_text(std::string_view what, const json::Value& result) {
    if (what == "routes")
        return table_of(result, {"id", "uri", "host", "methods", "priority", "service", "upstream", "where"});
    if (what == "upstreams") return table_of(result, {"id", "type", "nodes", "where"});
    if (what == "consumers") return table_of(result, {"id", "group", "credentials", "plugins", "where"});
    if (what == "consumer_groups") return table_of(result, {"id", "plugins", "consumers", "where"});
    if (what == "plugin_metadata") return table_of(result, {"id", "metadata", "where"});
    if (what == "plugins") return table_of(result, {"plugin", "phase", "kind", "count", "mean_us"});
    if (what == "workers") {
        return table_of(result, {"index", "pid", "state", "incarnation", "revision", "connections", "requests",
                                 "longest_turn_us", "longest_apply_us", "crashes"});
    }
    return table_of(result, {"worker", "client", "listener", "requests", "state", "route"});
}

std::string reencrypted_text(const json::Value& result, bool dry_run) {
    return lines_of(member(result, "not_readable"), "not readable: ") +
           lines_of(member(result, "skipped"), "skipped: ") + cell(result, "rewritten") +
           (dry_run ? " would be rewritten, " : " rewritten, ") + cell(result, "current") +
           " already current (revision " + cell(result, "revision") + ")\n";
}

std::string plugin_list(const json::Value& result) {
    return table_of(result,
                    {"name", "priority", "type", "version", "scope", "phases", "places", "on_error", "enabled"});
}

std::string plugin_text(const json::Value& result) {
    Table facts({"plugin", cell(result, "name")});
    for (const std::string_view name :
         {"type", "priority", "version", "scope", "phases", "places", "on_error", "enabled"})
        facts.add({std::string(name), cell(result, name)});
    std::string text = facts.text();
    for (const json::Member& schema : member(result, "fields").members()) {
        text += "\n" + printable(schema.key) + "\n";
        text += table_of(schema.value, {"field", "type", "default", "limits", "encrypted", "effect"});
    }
    return text;
}

std::string value_text(const json::Value* value) {
    return value ? printable(json::write(*value)) : "none";
}

// Members that differ, one on a line.
std::string members_text(const json::Value& before, const json::Value& after) {
    std::string text;
    for (const json::Member& old : before.members()) {
        const json::Value* now = after.find(old.key);
        if (now && json::equal(old.value, *now)) continue;
        text += "    " + printable(old.key) + ": " + value_text(&old.value) + " -> " + value_text(now) + "\n";
    }
    for (const json::Member& made : after.members()) {
        if (!before.find(made.key))
            text += "    " + printable(made.key) + ": none -> " + value_text(&made.value) + "\n";
    }
    return text.empty() ? "    a secret\n" : text;
}

std::string changes_text(const json::Value& rows) {
    std::string text;
    for (const json::Value& row : rows.items()) {
        const std::string change = cell(row, "change");
        const std::string owner = row.find("owner") ? " (" + cell(row, "owner") + ")" : "";
        text += (change == "made" ? "+ " : change == "removed" ? "- " : "~ ") + cell(row, "object") + owner;
        if (change == "made") text += " " + value_text(row.find("after"));
        text += "\n";
        if (change == "changed") text += members_text(member(row, "before"), member(row, "after"));
    }
    return text.empty() ? "no difference\n" : text;
}

std::string history_text(const json::Value& result) {
    if (result.is_array())
        return table_of(result, {"revision", "time", "author", "from", "action", "source", "changes"});
    Table facts({"revision", cell(result, "revision")});
    for (const std::string_view name : {"time", "author", "from", "action", "source", "changes", "digest"})
        facts.add({std::string(name), cell(result, name)});
    return facts.text() + "\n" + changes_text(member(result, "difference"));
}

}  // namespace

std::string present(const Request& request, const Answer& answer) {
    json::ParseFailure failure;
    const auto result = json::try_parse(answer.result, failure, {64, most_answer_bytes, false});
    if (!result || result->is_null()) return {};
    const std::string& command = request.command;
    if (command == "status") return status_text(*result);
    for (const std::string_view changing : {"reload", "put", "delete", "apply", "import", "rollback"}) {
        if (command == changing) return reload_text(*result);
    }
    if (command == "history") return history_text(*result);
    if (command == "diff") return changes_text(*result);
    if (command == "keys") return reencrypted_text(*result, request.flag("dry_run"));
    if (command == "export") return result->string();
    if (command == "explain") return explain_text(*result);
    if (command == "show") return show_text(request.text("what"), *result);
    if (command == "plugin") return result->is_array() ? plugin_list(*result) : plugin_text(*result);
    if (command == "version") return "gateway " + cell(*result, "version") + "\n";
    return result->is_string() ? printable(result->string()) + "\n" : json::write(*result) + "\n";
}

}  // namespace gateway::control
