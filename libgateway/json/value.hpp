// Small exact JSON document: numbers keep their source text, members their order, values their position in the source.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gateway::json {

// Line and column count from 1; 0 means "not from a file".
struct Position {
    std::uint32_t line = 0, column = 0;
    friend bool operator==(const Position&, const Position&) = default;
};

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
std::string_view name_of(Kind kind) noexcept;

template <class T>
concept WholeNumber = std::integral<T> && !std::same_as<T, bool>;

struct Member;

// A value owns everything below it. Used while reading configuration and by plugins that look into bodies; it
// allocates.
class Value {
public:
    using Array = std::vector<Value>;
    using Object = std::vector<Member>;

    Value() noexcept;
    Value(std::nullptr_t) noexcept;
    template <std::same_as<bool> Bool>
    Value(Bool value);
    template <WholeNumber Int>
    Value(Int value);
    // The shortest text that reads back the same; integers without exponent; NaN and infinities become null.
    Value(double value);
    Value(std::string value);
    Value(std::string_view value);
    Value(const char* value);
    Value(const Value&);
    Value(Value&&) noexcept;
    Value& operator=(const Value&);
    Value& operator=(Value&&) noexcept;
    ~Value();

    // A number by its text; the text must be a JSON number and is kept as it is.
    static Value number_from(std::string text);
    static Value array(std::initializer_list<Value> items = {});
    static Value object(std::initializer_list<std::pair<std::string_view, Value>> members = {});

    Kind kind() const noexcept { return static_cast<Kind>(store_.index()); }
    bool is_null() const noexcept { return kind() == Kind::null; }
    bool is_boolean() const noexcept { return kind() == Kind::boolean; }
    bool is_number() const noexcept { return kind() == Kind::number; }
    bool is_string() const noexcept { return kind() == Kind::string; }
    bool is_array() const noexcept { return kind() == Kind::array; }
    bool is_object() const noexcept { return kind() == Kind::object; }

    // The content if the kind fits, else false, "" or an empty list: reading never fails.
    bool boolean() const noexcept;
    const std::string& number() const noexcept;
    const std::string& string() const noexcept;
    const Array& items() const noexcept;
    const Object& members() const noexcept;
    // Elements, members or bytes.
    std::size_t size() const noexcept;

    // Whole numbers, `3.0` and `1e3` too; nothing if there is a fraction or it does not fit.
    std::optional<std::int64_t> as_int64() const noexcept;
    std::optional<double> as_double() const noexcept;
    std::optional<bool> as_bool() const noexcept;
    std::optional<std::string_view> as_string() const noexcept;

    // Member of an object by name; nullptr if there is none or this is no object. Linear.
    const Value* find(std::string_view key) const noexcept;
    Value* find(std::string_view key) noexcept;

    // Turn any other kind into an (empty) array or object first.
    Array& make_array();
    Object& make_object();
    // Replaces the member in place or appends it.
    Value& set(std::string_view key, Value value);
    Value& push(Value value);
    bool erase(std::string_view key);

    Position where;

private:
    struct Number {
        std::string text;
    };
    // The order of alternatives is the order of Kind.
    std::variant<std::monostate, bool, Number, std::string, Array, Object> store_;
};

struct Member {
    std::string key;
    Value value;
    Position where;  // of the key
};

template <std::same_as<bool> Bool>
Value::Value(Bool value) : store_(value) {}
template <WholeNumber Int>
Value::Value(Int value) : store_(Number{std::to_string(value)}) {}

// Of members with equal names keeps the last value, in the place of the first. For readers that append to
// make_object().
void drop_repeated_members(Value& object);

// The member of that name; null if there is none or this is no object.
const Value& member(const Value& object, std::string_view name) noexcept;

// Same content: numbers by value, members in any order.
bool equal(const Value& a, const Value& b) noexcept;

// Exact comparison of two JSON number texts, whatever their length: negative, zero or positive.
int compare_numbers(std::string_view a, std::string_view b) noexcept;
// Whether the text is a JSON number (RFC 8259, 6).
bool is_number_text(std::string_view text) noexcept;

struct Limits {
    std::size_t depth = 1000;
    std::size_t bytes = 64 << 20;
    bool positions = true;  // off: one pass less, for bodies
};

struct ParseFailure {
    Position where;
    std::size_t offset = 0;
    std::string what;
};
struct ParseError : std::runtime_error {
    explicit ParseError(ParseFailure why) : std::runtime_error(why.what), failure(std::move(why)) {}
    ParseFailure failure;
};

// One JSON text (RFC 8259). Of members with equal names the last wins, in the place of the first. Throws ParseError.
Value parse(std::string_view text, const Limits& limits = {});
// The same without throwing; `why` is filled if nothing is returned.
std::optional<Value> try_parse(std::string_view text, ParseFailure& why, const Limits& limits = {});

// Compact: no blanks, `/` as it is, UTF-8 as it is, control characters as \b \f \n \r \t or \u00XX.
std::string write(const Value& value);
void append(std::string& out, const Value& value);
void append_quoted(std::string& out, std::string_view text);
// Members sorted by name at every level: the stable form that identities are computed on.
std::string write_sorted(const Value& value);

}  // namespace gateway::json
