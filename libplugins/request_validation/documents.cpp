#include "libplugins/request_validation/documents.hpp"

#include <string>
#include <unordered_map>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"

namespace gateway::plugins {
namespace {

// Members of an object under construction, found by name without a walk over all of them.
class Collected {
public:
    void add(std::string name, json::Value value) {
        const auto [at, fresh] = index_.emplace(std::move(name), members_.size());
        if (fresh) {
            members_.push_back({at->first, std::move(value), {}});
            return;
        }
        json::Value& known = members_[at->second].value;
        if (!known.is_array()) known = json::Value::array({std::move(known)});
        known.push(std::move(value));
    }
    json::Value take() {
        json::Value object = json::Value::object();
        object.make_object() = std::move(members_);
        return object;
    }

private:
    json::Value::Object members_;
    std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

json::Value document_of(const http::Fields& fields) {
    Collected members;
    for (const http::Field& field : fields) members.add(to_lower(field.name), field.value);
    return members.take();
}

bool is_form(std::string_view content_type) noexcept {
    constexpr std::string_view form = "application/x-www-form-urlencoded";
    return iequals(content_type.substr(0, form.size()), form);
}

json::Value document_of_form(std::string_view body, Arena& arena) {
    Collected members;
    while (!body.empty()) {
        const std::size_t end = std::min(body.find('&'), body.size());
        const std::string_view pair = body.substr(0, end);
        body.remove_prefix(std::min(end + 1, body.size()));
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        const std::string_view name = expr::decode_argument(pair.substr(0, equals), arena);
        members.add(std::string(name), equals == std::string_view::npos
                                           ? json::Value(true)
                                           : json::Value(expr::decode_argument(pair.substr(equals + 1), arena)));
    }
    return members.take();
}

std::optional<json::Value> document_of_json(std::string_view body, std::string& why) {
    json::Limits limits;
    limits.positions = false;
    json::ParseFailure failure;
    auto document = json::try_parse(body, failure, limits);
    if (!document) why = "Expected value but found invalid token at character " + std::to_string(failure.offset + 1);
    return document;
}

}  // namespace gateway::plugins
