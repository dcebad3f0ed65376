#include "libgateway/etcd/failure.hpp"

#include "libgateway/json/value.hpp"

namespace gateway::etcd {

namespace {

constexpr std::size_t longest_text = 300;

// gRPC status codes that mean something here (grpc/statuscodes of its protocol).
constexpr std::int64_t deadline_exceeded = 4, permission_denied = 7, resource_exhausted = 8, out_of_range = 11,
                       unavailable = 14, unauthenticated = 16;

// etcd reports these as invalid arguments or failed preconditions; only the text tells.
bool asks_for_login(std::string_view text) noexcept {
    for (const std::string_view part : {"user name is empty", "invalid auth token", "revision of auth store is old"}) {
        if (text.find(part) != text.npos) return true;
    }
    return false;
}

bool wrong_password(std::string_view text) noexcept {
    return text.find("authentication failed") != text.npos;
}

Cause cause_of(std::int64_t code, std::string_view text) noexcept {
    if (code == unauthenticated || asks_for_login(text)) return Cause::login;
    if (code == permission_denied || wrong_password(text)) return Cause::denied;
    if (code == out_of_range) return Cause::compacted;
    if (code == unavailable || code == deadline_exceeded || code == resource_exhausted) return Cause::unavailable;
    return Cause::refused;
}

}  // namespace

Failure failure_of_code(std::int64_t code, const std::string& text) {
    return {cause_of(code, text), text.substr(0, longest_text)};
}

Failure failure_of(unsigned status, std::string_view body) {
    json::ParseFailure ignored;
    const auto answer = json::try_parse(body, ignored, {16, body.size() + 1, false});
    const json::Value* code = answer ? answer->find("code") : nullptr;
    const json::Value* text = answer ? answer->find("message") : nullptr;
    if (answer && (!text || !text->is_string())) text = answer->find("error");
    if (code && code->as_int64() && text && text->is_string()) {
        Failure failure = failure_of_code(*code->as_int64(), text->string());
        return failure;
    }
    const std::string said = "status " + std::to_string(status);
    if (status == 401) return {Cause::login, said};
    if (status == 403) return {Cause::denied, said};
    return {status >= 500 ? Cause::unavailable : Cause::garbled, said};
}

}  // namespace gateway::etcd
