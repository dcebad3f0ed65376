#include "libgateway/admin/health_calls.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "libgateway/admin/resource.hpp"

namespace gateway::admin {

using config::Kind;
using json::Value;

namespace {

constexpr std::array sources{Kind::route, Kind::service, Kind::upstream, Kind::stream_route};

// The checks of an object, wherever they stand; null if it has none.
Value checks_of(Kind kind, const Value& object) {
    return json::member(kind == Kind::upstream ? object : json::member(object, "upstream"), "checks");
}

class Health {
public:
    Health(const Objects& objects, const CheckedNodes& nodes) : objects_(objects), nodes_(nodes) {}

    // Nothing if the object has no checks.
    std::optional<Value> checker(const store::Stored& object) const {
        if (object.json.find("\"checks\"") == std::string::npos) return std::nullopt;
        const Value checks = checks_of(object.kind, json::parse(object.json, {.positions = false}));
        if (!checks.is_object()) return std::nullopt;
        const Value& type = json::member(json::member(checks, "active"), "type");
        // Objects of files have no place in a store.
        std::string name = objects_.defined_at(object.kind, object.id).empty() ? std::string(store_prefix) : "";
        name.append("/").append(config::list_name(object.kind)).append("/").append(object.id);
        return Value::object({{"name", Value(name)},
                              {"type", type.is_string() ? type : Value("http")},
                              {"nodes", nodes_ ? nodes_(object.kind, object.id) : Value::array()}});
    }
    Value all() const {
        Value list = Value::array();
        for (const Kind kind : sources) {
            objects_.each(kind, [&](const store::StoredPtr& object) {
                if (auto one = checker(*object)) list.push(std::move(*one));
                return true;
            });
        }
        return list;
    }

private:
    const Objects& objects_;
    const CheckedNodes& nodes_;
};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const std::string_view entity = c == '<'   ? "&lt;"
                                        : c == '>' ? "&gt;"
                                        : c == '&' ? "&amp;"
                                        : c == '"' ? "&quot;"
                                                   : "";
        out.append(entity.empty() ? std::string_view(&c, 1) : entity);
    }
    return out;
}

std::string cell(const Value& value) {
    return "<td>" + escaped(value.is_string() ? value.string() : value.number()) + "</td>";
}

// People see at a glance what is down.
std::string row_of(const Value& checker, const Value& node, std::size_t number) {
    const Value& status = json::member(node, "status");
    const bool bad = status.string() == "unhealthy" || status.string() == "mostly_unhealthy";
    const Value& counter = json::member(node, "counter");
    std::string row = bad ? "<tr bgcolor=\"#FF0000\">" : "<tr>";
    row += cell(Value(number)) + cell(json::member(checker, "name")) + cell(json::member(checker, "type"));
    row += cell(Value(json::member(node, "ip").string() + ":" + json::member(node, "port").number()));
    row += cell(status);
    for (const std::string_view name : {"success", "http_failure", "tcp_failure", "timeout_failure"})
        row += cell(json::member(counter, name));
    return row + "</tr>\n";
}

Reply table_of(const Value& checkers) {
    std::string rows;
    std::size_t number = 0;
    for (const Value& checker : checkers.items()) {
        for (const Value& node : json::member(checker, "nodes").items()) rows += row_of(checker, node, ++number);
    }
    Reply reply;
    reply.content_type = "text/html; charset=utf-8";
    reply.body =
        "<!DOCTYPE html>\n<html><head><title>Gateway upstream check status</title></head>\n"
        "<body><h1>Gateway upstream check status</h1>\n<table border=\"1\">\n"
        "<tr><th>Index</th><th>Upstream</th><th>Check type</th><th>Host</th><th>Status</th><th>Success counts</th>"
        "<th>HTTP failures</th><th>TCP failures</th><th>Timeouts</th></tr>\n" +
        rows + "</table></body></html>\n";
    return reply;
}

bool wants_html(const Request& request) {
    const std::string* accept = request.field("Accept");
    return accept && accept->find("text/html") != std::string::npos;
}

}  // namespace

Reply answer_health(const Objects& objects, const CheckedNodes& nodes, const Request& request,
                    const std::vector<std::string>& parts) {
    const Health health(objects, nodes);
    if (parts.size() == 1) {
        const Value all = health.all();
        return wants_html(request) ? table_of(all) : json_reply(200, json::write(all));
    }
    const std::string& list = parts[1];
    const auto kind =
        std::find_if(sources.begin(), sources.end(), [&](Kind one) { return config::list_name(one) == list; });
    if (kind == sources.end()) return refuse(400, "invalid src type " + list);
    if (parts.size() == 2) return refuse(404, "missing src id for src type " + list);
    const std::string name = list + "[" + parts[2] + "]";
    const store::StoredPtr object = objects.find(*kind, parts[2]);
    if (!object) return refuse(404, name + " not found");
    const auto checker = health.checker(*object);
    if (!checker) return refuse(404, "no checker for " + name);
    return wants_html(request) ? table_of(Value::array({*checker})) : json_reply(200, json::write(*checker));
}

}  // namespace gateway::admin
