#include "libplugins/mocking/generate.hpp"

#include <fmt/format.h>

#include "libgateway/base/strings.hpp"
#include "libplugins/common/arena_text.hpp"

namespace gateway::plugins {
namespace {

constexpr int deepest = 64;

enum class Type : unsigned char { none, object, array, string, number, integer, boolean };

Type type_of(const json::Value& schema) noexcept {
    const json::Value* type = schema.find("type");
    const std::string_view name = type ? std::string_view(type->string()) : std::string_view();
    if (iequals(name, "object") || (name.empty() && schema.find("properties"))) return Type::object;
    if (iequals(name, "array")) return Type::array;
    if (iequals(name, "string")) return Type::string;
    if (iequals(name, "number")) return Type::number;
    if (iequals(name, "integer")) return Type::integer;
    return iequals(name, "boolean") ? Type::boolean : Type::none;
}

// The example, if it is of the type that the schema asks for.
const json::Value* example_of(const json::Value& schema, Type type) noexcept {
    const json::Value* example = schema.find("example");
    if (!example) return nullptr;
    switch (type) {
        case Type::string:
            return example->is_string() ? example : nullptr;
        case Type::boolean:
            return example->is_boolean() ? example : nullptr;
        case Type::number:
            return example->is_number() ? example : nullptr;
        case Type::integer:
            return example->is_number() && example->number().find_first_of(".eE") == std::string::npos ? example
                                                                                                       : nullptr;
        default:
            return nullptr;
    }
}

// Writes one notation; the walk over the schema is the same for both.
class Writer {
public:
    Writer(Services& services, Arena& arena) : services_(services), arena_(arena), out_(arena) {}

    std::uint64_t chance(std::uint64_t least, std::uint64_t most) {
        return least + services_.random() % (most - least + 1);
    }
    std::string_view letters() {
        const std::size_t count = chance(1, 10);
        char* const text = arena_.chars(count);
        for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>('a' + chance(0, 25));
        return {text, count};
    }
    // Text of a string, number or boolean.
    std::string_view scalar(const json::Value& schema, Type type) {
        if (const json::Value* example = example_of(schema, type)) {
            if (example->is_boolean()) return example->boolean() ? "true" : "false";
            return example->is_number() ? example->number() : example->string();
        }
        if (type == Type::string) return letters();
        if (type == Type::boolean) return chance(0, 1) == 0 ? "true" : "false";
        const fmt::format_int digits(type == Type::number ? chance(0, 10000) : chance(1, 10000));
        return arena_.copy({digits.data(), digits.size()});
    }
    void json(const json::Value& schema, int depth);
    void xml(std::string_view element, const json::Value& schema, int depth);
    std::string_view text() const { return out_.view(); }

private:
    void quoted(std::string_view text);
    void escaped(std::string_view text);
    void json_object(const json::Value& schema, int depth);
    void json_array(const json::Value& schema, int depth);

    Services& services_;
    Arena& arena_;
    ArenaText out_;
};

void Writer::quoted(std::string_view text) {
    out_ << '"';
    for (const char c : text) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        if (c == '"' || c == '\\') {
            out_ << '\\' << c;
        } else if (c == '\n') {
            out_ << "\\n";
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out_ << "\\u00" << digits[static_cast<unsigned char>(c) >> 4] << digits[c & 15];
        } else {
            out_ << c;
        }
    }
    out_ << '"';
}

void Writer::escaped(std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '&':
                out_ << "&amp;";
                break;
            case '<':
                out_ << "&lt;";
                break;
            case '>':
                out_ << "&gt;";
                break;
            default:
                out_ << c;
        }
    }
}

void Writer::json_object(const json::Value& schema, int depth) {
    out_ << '{';
    const json::Value* properties = schema.find("properties");
    bool first = true;
    for (const json::Member& member : properties ? properties->members() : json::Value::Object()) {
        if (type_of(member.value) == Type::none) continue;
        if (!first) out_ << ',';
        first = false;
        quoted(member.key);
        out_ << ':';
        json(member.value, depth + 1);
    }
    out_ << '}';
}

void Writer::json_array(const json::Value& schema, int depth) {
    out_ << '[';
    const json::Value* items = schema.find("items");
    const std::uint64_t count = items && type_of(*items) != Type::none ? chance(1, 3) : 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i > 0) out_ << ',';
        json(*items, depth + 1);
    }
    out_ << ']';
}

void Writer::json(const json::Value& schema, int depth) {
    const Type type = type_of(schema);
    if (depth > deepest || type == Type::none) {
        out_ << "null";
    } else if (type == Type::object) {
        json_object(schema, depth);
    } else if (type == Type::array) {
        json_array(schema, depth);
    } else if (type == Type::string) {
        quoted(scalar(schema, type));
    } else {
        out_ << scalar(schema, type);
    }
}

void Writer::xml(std::string_view element, const json::Value& schema, int depth) {
    const Type type = type_of(schema);
    if (depth > deepest || type == Type::none) return;
    if (type == Type::array) {
        const json::Value* items = schema.find("items");
        const std::uint64_t count = items ? chance(1, 3) : 0;
        for (std::uint64_t i = 0; i < count; ++i) xml(element, *items, depth + 1);
        return;
    }
    out_ << '<' << element << '>';
    const json::Value* properties = type == Type::object ? schema.find("properties") : nullptr;
    for (const json::Member& member : properties ? properties->members() : json::Value::Object()) {
        xml(member.key, member.value, depth + 1);
    }
    if (type != Type::object) escaped(scalar(schema, type));
    out_ << "</" << element << '>';
}

}  // namespace

std::string_view generate_json(const json::Value& schema, Services& services, Arena& arena) {
    Writer writer(services, arena);
    writer.json(schema, 0);
    return writer.text();
}

std::string_view generate_xml(const json::Value& schema, Services& services, Arena& arena) {
    Writer writer(services, arena);
    writer.xml("data", schema, 0);
    return writer.text();
}

}  // namespace gateway::plugins
