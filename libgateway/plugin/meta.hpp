// `_meta`, the settings that every plugin entry may carry beside its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/config/errors.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/json/value.hpp"

namespace gateway {

struct Meta {
    bool disable = false;
    std::optional<int> priority;
    std::unique_ptr<const expr::Expression> filter;  // null: always
    bool has_error_response = false;
    bool error_response_is_json = false;  // an object: sent as JSON and a newline
    std::string error_response;           // replaces the body of answers with a status of 400 or more
};

// `_meta.disable: true`, or `disable: true` of old documents. False for anything malformed.
bool is_disabled(const json::Value& config) noexcept;

// Adds what is wrong with `_meta` of the entry of plugin `name`.
void check_meta(std::string_view name, const json::Value& config, config::Errors& errors);

// Of an entry that passed check_meta. A filter that does not compile is left out with a warning: the plugin runs.
Meta compile_meta(const json::Value& config);

}  // namespace gateway
