// Fields that a plugin adds, sets and removes; values are templates. Read from the `headers` member of several plugins.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/arena.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/http/fields.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::plugins {

// Whether it can be the name of a field (RFC 9110, 5.1).
bool is_field_name(std::string_view name) noexcept;
// Strings and numbers can be field values; their text.
bool is_scalar(const json::Value& value) noexcept;
std::string scalar_text(const json::Value& value);

// How `add` of the form {add, set, remove} is written: as an object like `set`, or as an array of "Name: value".
enum class AddForm : unsigned char { members, lines };

// Sets one field; empty text removes it. False: no room. `name` and `value` live as long as the fields.
inline bool set_field(http::Fields& fields, std::string_view name, std::string_view value) noexcept {
    if (!value.empty()) return fields.set(name, value);
    fields.remove(name);
    return true;
}

// Immutable once read.
class HeaderRules {
public:
    HeaderRules() = default;
    // Of a member that passed `check`. Without add, set and remove in it the whole object is `set`.
    HeaderRules(const json::Value& headers, AddForm add_form);
    // Adds what is wrong with the member called `headers`. Nothing for null.
    static void check(const json::Value& headers, AddForm add_form, config::Errors& errors);

    bool empty() const noexcept { return add_.empty() && set_.empty() && remove_.empty(); }
    // Add, then set, then remove. A field set to empty text is removed. Content-Length and Transfer-Encoding are left
    // alone: framing is the gateway's own. A full table is logged, the rest is left out.
    void apply(http::Fields& fields, const expr::VariableSource& source, Arena& arena,
               std::span<const std::string_view> captures = {}) const {
        if (!only_sets_fixed_) return apply_all(fields, source, arena, captures);
        bool fits = true;
        for (const Rule& rule : set_) fits &= fields.set(rule.name, rule.values.front().fixed, rule.id);
        if (!fits) no_room();
    }

private:
    struct Text {
        expr::Template text;
        std::string fixed;  // what a text without variables comes to
    };
    struct Rule {
        explicit Rule(std::string_view text) : name(text), id(http::field_name(text)) {}
        std::string name;
        http::FieldName id;
        std::vector<Text> values;
    };
    void apply_all(http::Fields& fields, const expr::VariableSource& source, Arena& arena,
                   std::span<const std::string_view> captures) const;
    static void no_room();
    static Text text_of(const std::string& text);
    static Rule rule_of(std::string_view name, const json::Value& value);
    void read_members(const json::Value* members, std::vector<Rule>& to);
    void read_lines(const json::Value* lines);

    std::vector<Rule> add_, set_;
    std::vector<Rule> remove_;
    bool only_sets_fixed_ = false;  // one text without variables for each name: what most configurations do
};

}  // namespace gateway::plugins
