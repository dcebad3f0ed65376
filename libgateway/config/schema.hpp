// Schema as data beside a struct: one table reads JSON into it with defaults and checks, writes it, and documents it.
//
//   struct Settings {
//       std::vector<std::string> hosts;
//       int status = 403;
//   };
//   constexpr auto schema = config::fields(
//       config::field("hosts", &Settings::hosts, "names that are refused", config::required, config::items(1)),
//       config::field("status", &Settings::status, "status of a refusal", config::range(200, 599)));
//
// Defaults are the member initialisers. A struct with `static constexpr auto schema` can itself be a member.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "libgateway/config/codec.hpp"
#include "libgateway/config/errors.hpp"
#include "libgateway/config/rules.hpp"

namespace gateway::config {

template <class S, class T>
struct Field {
    std::string_view name;
    T S::*member;
    std::string_view doc;
    Rules rules;
};

template <class S, class T, class... Options>
constexpr Field<S, T> field(std::string_view name, T S::*member, std::string_view doc, Options... options) {
    Field<S, T> made{name, member, doc, {}};
    (options.apply(made.rules), ...);
    return made;
}

// Rules between members of one object; at most four of them.
struct Relation {
    enum class Kind : std::uint8_t { none, exactly_one, any_of, depends };
    Kind kind = Kind::none;
    std::array<std::string_view, 8> names{};  // a name may be a list that is needed together: "active,passive"
    std::size_t count = 0;
    std::size_t branch = 0;  // > 0: the text says `allOf <branch> failed: `, as where the reference nests it
};

// Which members that no field names are accepted. `plugin` forbids them but for the common ones (`_meta`).
enum class Openness : std::uint8_t { open, closed, plugin };

template <class S, class... T>
class Schema {
public:
    using Owner = S;

    constexpr explicit Schema(Field<S, T>... list) : fields(list...), names{list.name...} {}

    constexpr Schema closed() const { return with(Openness::closed); }
    constexpr Schema closed_plugin() const { return with(Openness::plugin); }
    template <class... Names>
    constexpr Schema exactly_one(Names... members) const {
        return with(Relation{Relation::Kind::exactly_one, {std::string_view(members)...}, sizeof...(members), 0});
    }
    template <class... Names>
    constexpr Schema exactly_one_in_branch(std::size_t branch, Names... members) const {
        return with(Relation{Relation::Kind::exactly_one, {std::string_view(members)...}, sizeof...(members), branch});
    }
    template <class... Names>
    constexpr Schema any_of(Names... members) const {
        return with(Relation{Relation::Kind::any_of, {std::string_view(members)...}, sizeof...(members), 0});
    }
    constexpr Schema depends(std::string_view member, std::string_view needed) const {
        return with(Relation{Relation::Kind::depends, {member, needed}, 2, 0});
    }

    std::tuple<Field<S, T>...> fields;
    std::array<std::string_view, sizeof...(T)> names;
    Openness openness = Openness::open;
    std::array<Relation, 4> relations{};
    std::size_t relation_count = 0;

private:
    constexpr Schema with(Openness changed) const {
        Schema copy = *this;
        copy.openness = changed;
        return copy;
    }
    constexpr Schema with(const Relation& relation) const {
        Schema copy = *this;
        copy.relations[copy.relation_count++] = relation;
        return copy;
    }
};

template <class S, class... T>
constexpr Schema<S, T...> fields(Field<S, T>... list) {
    return Schema<S, T...>(list...);
}

// The keyword of a JSON Schema that marks a secret.
inline constexpr std::string_view encrypted_mark = "encrypted";

namespace detail {

struct Shape {
    const std::string_view* names;
    std::size_t name_count;
    Openness openness;
    const Relation* relations;
    std::size_t relation_count;
};
// False, with an error, if the value cannot be read as an object.
bool begin_object(const json::Value& value, Errors& errors);
const json::Value* find_field(const json::Value& value, std::string_view name, const Rules& rules, Errors& errors);
void finish_object(const json::Value& value, const Shape& shape, Errors& errors);
void describe_object(const Shape& shape, json::Value& schema);
void describe_field(json::Value& property, std::string_view doc, const json::Value& default_value);

template <class S, class... T>
Shape shape_of(const Schema<S, T...>& schema) {
    return {schema.names.data(), schema.names.size(), schema.openness, schema.relations.data(), schema.relation_count};
}

template <class S, class T>
void read_field(const Field<S, T>& field, const json::Value& value, S& out, Errors& errors) {
    const json::Value* found = find_field(value, field.name, field.rules, errors);
    if (!found) return;
    const Errors::Scope scope(errors, Errors::Level::property, field.name, *found);
    Codec<T>::read(*found, out.*field.member, field.rules, errors);
}

template <class S, class T>
void write_field(const Field<S, T>& field, const S& object, json::Value& out) {
    json::Value value = Codec<T>::write(object.*field.member);
    if (!value.is_null()) out.make_object().push_back({std::string(field.name), std::move(value), {}});
}

template <class S, class T>
void describe_one(const Field<S, T>& field, const S& fresh, json::Value& schema) {
    json::Value property = Codec<T>::describe(field.rules);
    describe_field(property, field.doc, field.rules.required ? json::Value() : Codec<T>::write(fresh.*field.member));
    schema.find("properties")->set(field.name, std::move(property));
    if (field.rules.encrypted) schema.find("properties")->find(field.name)->set(encrypted_mark, true);
    if (field.rules.required) schema.find("required")->push(field.name);
}

}  // namespace detail

// Reads an object into `out`, which holds the defaults; all errors are collected, members that are wrong keep their
// default.
template <class S, class... T>
void read(const Schema<S, T...>& schema, const json::Value& value, S& out, Errors& errors) {
    if (!detail::begin_object(value, errors)) return;
    std::apply([&](const auto&... each) { (detail::read_field(each, value, out, errors), ...); }, schema.fields);
    detail::finish_object(value, detail::shape_of(schema), errors);
}

template <class S, class... T>
json::Value write(const Schema<S, T...>& schema, const S& object) {
    json::Value out = json::Value::object();
    std::apply([&](const auto&... each) { (detail::write_field(each, object, out), ...); }, schema.fields);
    return out;
}

template <class S, class... T>
json::Value json_schema(const Schema<S, T...>& schema) {
    json::Value out = json::Value::object(
        {{"type", "object"}, {"properties", json::Value::object()}, {"required", json::Value::array()}});
    const S fresh{};
    std::apply([&](const auto&... each) { (detail::describe_one(each, fresh, out), ...); }, schema.fields);
    detail::describe_object(detail::shape_of(schema), out);
    return out;
}

// A struct that carries its schema; `static void check(const S&, Errors&)` may add rules of its own.
template <class S>
concept Described = requires {
    S::schema.names;
};

template <Described S>
struct Codec<S> {
    static void read(const json::Value& value, S& out, const Rules&, Errors& errors) {
        const std::size_t before = errors.size();
        config::read(S::schema, value, out, errors);
        if constexpr (requires { S::check(out, errors); }) {
            if (errors.size() == before) S::check(out, errors);
        }
    }
    static json::Value write(const S& object) { return config::write(S::schema, object); }
    static json::Value describe(const Rules&) { return config::json_schema(S::schema); }
};

template <Described S>
void read(const json::Value& value, S& out, Errors& errors) {
    Codec<S>::read(value, out, {}, errors);
}
template <Described S>
json::Value write(const S& object) {
    return Codec<S>::write(object);
}

// One line of documentation.
struct Row {
    std::string name;  // dotted path; "nodes[].port" inside arrays, "labels.*" inside maps
    std::string type, limits, default_text, doc;
    bool required = false, encrypted = false;
};
// From a JSON Schema made by json_schema().
std::vector<Row> rows_of(const json::Value& json_schema);
// The secrets among them: dotted paths that go through arrays ("rules[].key" is "rules.key").
std::vector<std::string> encrypted_paths(const json::Value& json_schema);
// Rows as a table in Markdown.
std::string markdown(const std::vector<Row>& rows);

// A schema without its type, for registries. Points at the schema it was made of, which must be static.
class SchemaTable {
public:
    SchemaTable() noexcept = default;
    void check(const json::Value& value, Errors& errors) const {
        if (check_) check_(schema_, value, errors);
    }
    json::Value json_schema() const { return describe_ ? describe_(schema_) : json::Value::object(); }
    std::vector<Row> rows() const { return rows_of(json_schema()); }

private:
    template <class S, class... T>
    friend SchemaTable table_of(const Schema<S, T...>& schema);

    const void* schema_ = nullptr;
    void (*check_)(const void* schema, const json::Value& value, Errors& errors) = nullptr;
    json::Value (*describe_)(const void* schema) = nullptr;
};

template <class S, class... T>
SchemaTable table_of(const Schema<S, T...>& schema) {
    using Exact = Schema<S, T...>;
    SchemaTable table;
    table.schema_ = &schema;
    table.check_ = [](const void* self, const json::Value& value, Errors& errors) {
        S scratch{};
        config::read(*static_cast<const Exact*>(self), value, scratch, errors);
    };
    table.describe_ = [](const void* self) { return config::json_schema(*static_cast<const Exact*>(self)); };
    return table;
}
template <class S, class... T>
SchemaTable table_of(const Schema<S, T...>&& schema) = delete;

}  // namespace gateway::config
