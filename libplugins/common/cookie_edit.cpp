#include "libplugins/common/cookie_edit.hpp"

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"
#include "libplugins/common/arena_text.hpp"

namespace gateway::plugins {

namespace {

bool is_cookie(std::string_view pair, std::string_view name) noexcept {
    const std::size_t equals = pair.find('=');
    return equals != pair.npos && trim(pair.substr(0, equals)) == name;
}

std::string_view without_cookie(std::string_view field, std::string_view name, Arena& arena) {
    ArenaText kept(arena, field.size() + 1);
    for_each_item(field, ';', [&](std::string_view pair) {
        if (is_cookie(pair, name)) return;
        if (kept.size() > 0) kept << "; ";
        kept << pair;
    });
    return kept.view();
}

}  // namespace

bool find_cookie(const http::Fields& fields, std::string_view name, std::string_view& value) noexcept {
    for (const http::Field& field : fields) {
        if (field.id == http::FieldName::cookie && expr::find_cookie(field.value, name, value)) return true;
    }
    return false;
}

void remove_cookie(Exchange& exchange, std::string_view name) {
    exchange.request.fields.retain([&](http::Field& field) {
        std::string_view value;
        if (field.id != http::FieldName::cookie || !expr::find_cookie(field.value, name, value)) return true;
        field.value = without_cookie(field.value, name, exchange.arena());
        return !field.value.empty();
    });
}

}  // namespace gateway::plugins
