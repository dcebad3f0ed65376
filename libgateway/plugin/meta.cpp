#include "libgateway/plugin/meta.hpp"

#include "libgateway/base/log.hpp"
#include "libgateway/config/schema.hpp"

namespace gateway {
namespace {

constexpr std::string_view filter_error = "failed to validate the 'vars' expression: ";

struct Written {
    std::optional<bool> disable;
    std::optional<int> priority;
    std::optional<json::Value> error_response;
    std::optional<json::Value> filter;
    std::optional<std::string> pre_function;
};
constexpr auto schema =
    config::fields(config::field("disable", &Written::disable, "true: the plugin does not run here"),
                   config::field("priority", &Written::priority, "order of this entry in its list"),
                   config::field("error_response", &Written::error_response, "body of answers with status 400 or more"),
                   config::field("filter", &Written::filter, "condition under which the plugin runs"),
                   config::field("pre_function", &Written::pre_function, "Lua function; not in this build"))
        .closed();

void check_filter(const json::Value& filter, config::Errors& errors) {
    const config::Errors::Scope scope(errors, config::Errors::Level::plain, "filter", filter);
    if (!filter.is_array()) return config::wrong_type("array", filter, errors);
    try {
        const expr::Expression compiled(filter);
    } catch (const expr::ExpressionError& error) {
        errors.add(std::string(filter_error) + error.what());
    }
}

void check_members(std::string_view name, const Written& meta, config::Errors& errors) {
    if (meta.error_response && !meta.error_response->is_string() && !meta.error_response->is_object()) {
        const config::Errors::Scope scope(errors, config::Errors::Level::property, "error_response",
                                          *meta.error_response);
        errors.add("wrong type: expected one of <string, object>, got " +
                   std::string(config::reference_type(*meta.error_response)));
    }
    if (meta.pre_function) {
        errors.add("failed to load _meta.pre_function in plugin " + std::string(name) +
                   ": scripting is disabled (not supported by this build)");
    }
    if (meta.filter) check_filter(*meta.filter, errors);
}

}  // namespace

bool is_disabled(const json::Value& config) noexcept {
    if (const json::Value* old = config.find("disable"); old && old->boolean()) return true;
    const json::Value* meta = config.find("_meta");
    const json::Value* disable = meta ? meta->find("disable") : nullptr;
    return disable && disable->boolean();
}

void check_meta(std::string_view name, const json::Value& config, config::Errors& errors) {
    const json::Value* meta = config.find("_meta");
    if (!meta) return;
    const config::Errors::Scope scope(errors, config::Errors::Level::property, "_meta", *meta);
    Written written;
    const std::size_t before = errors.size();
    config::read(schema, *meta, written, errors);
    if (errors.size() == before) check_members(name, written, errors);
}

Meta compile_meta(const json::Value& config) {
    Meta made;
    made.disable = is_disabled(config);
    const json::Value* meta = config.find("_meta");
    if (!meta) return made;
    if (const json::Value* priority = meta->find("priority")) {
        if (const auto number = priority->as_int64()) made.priority = static_cast<int>(*number);
    }
    if (const json::Value* body = meta->find("error_response"); body && !body->is_null()) {
        made.has_error_response = true;
        made.error_response_is_json = !body->is_string();
        made.error_response = body->is_string() ? body->string() : json::write(*body);
    }
    if (const json::Value* filter = meta->find("filter"); filter && filter->is_array()) {
        try {
            expr::Expression compiled(*filter);
            if (!compiled.always()) made.filter = std::make_unique<const expr::Expression>(std::move(compiled));
        } catch (const expr::ExpressionError& error) {
            log::warn("{}{}", filter_error, error.what());
        }
    }
    return made;
}

}  // namespace gateway
