#include "libgateway/control/wire.hpp"

#include <array>

namespace gateway::control {

namespace {

constexpr std::array<std::string_view, 5> names{"ok", "refused", "usage", "unreachable", "not_ready"};
constexpr std::size_t most_depth = 64;

std::optional<json::Value> parse_object(std::string_view line, std::size_t most, std::string& why) {
    json::ParseFailure failure;
    auto value = json::try_parse(line, failure, {most_depth, most, false});
    if (!value) {
        why = "not JSON: " + failure.what;
    } else if (!value->is_object()) {
        why = "expected an object, found " + std::string(json::name_of(value->kind()));
        value.reset();
    }
    return value;
}

}  // namespace

std::string_view name_of(Status status) noexcept {
    return names[static_cast<std::size_t>(status)];
}

std::string_view Request::text(std::string_view name) const noexcept {
    const json::Value* value = arguments.find(name);
    return value ? std::string_view(value->string()) : std::string_view();
}

bool Request::flag(std::string_view name) const noexcept {
    const json::Value* value = arguments.find(name);
    return value && value->boolean();
}

Answer refuse(Status status, std::string error) {
    Answer answer;
    answer.status = status;
    answer.errors.push_back(std::move(error));
    return answer;
}

std::optional<Request> parse_request(std::string_view line, std::string& why) {
    auto value = parse_object(line, most_request_bytes, why);
    if (!value) return std::nullopt;
    Request request;
    for (const json::Member& member : value->members()) {
        if (member.key == "command" && member.value.is_string()) {
            request.command = member.value.string();
        } else if (member.key == "arguments" && member.value.is_object()) {
            request.arguments = member.value;
        } else {
            why = "expected \"command\": text and \"arguments\": object, found \"" + member.key.substr(0, 64) +
                  "\": " + std::string(json::name_of(member.value.kind()));
            return std::nullopt;
        }
    }
    if (!request.command.empty()) return request;
    why = "\"command\" is missing";
    return std::nullopt;
}

std::optional<Answer> parse_answer(std::string_view line, std::string& why) {
    auto value = parse_object(line, most_answer_bytes, why);
    if (!value) return std::nullopt;
    const json::Value* status = value->find("status");
    const json::Value* errors = value->find("errors");
    const json::Value* result = value->find("result");
    Answer answer;
    for (std::size_t i = 0; status && i < names.size(); ++i) {
        if (names[i] != status->string()) continue;
        answer.status = static_cast<Status>(i);
        if (result) answer.result = json::write(*result);
        for (const json::Value& error : errors ? errors->items() : json::Value::Array()) {
            answer.errors.push_back(error.string());
        }
        return answer;
    }
    why = "no answer of a gateway: \"status\" is missing";
    return std::nullopt;
}

std::string write(const Request& request) {
    std::string line =
        json::write(json::Value::object({{"command", json::Value(request.command)}, {"arguments", request.arguments}}));
    return line += '\n';
}

std::string write(const Answer& answer) {
    std::string line = "{\"status\":";
    json::append_quoted(line, name_of(answer.status));
    line += ",\"errors\":[";
    for (const std::string& error : answer.errors) {
        if (line.back() != '[') line += ',';
        json::append_quoted(line, error);
    }
    line.append("],\"result\":").append(answer.result);
    return line += "}\n";
}

}  // namespace gateway::control
