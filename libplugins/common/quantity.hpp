// A whole number that is written as such, or as a template that gives one for each request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/codec.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/plugin/exchange.hpp"

namespace gateway::plugins {

// At least `Least`, at most 2^53 - 1. Immutable once read.
template <std::int64_t Least>
class Quantity {
public:
    static constexpr std::int64_t most = (std::int64_t{1} << 53) - 1;

    Quantity() = default;
    explicit Quantity(std::int64_t number) : number_(number) {}
    explicit Quantity(const std::string& text) : number_(0), text_(text) {}

    // Nothing if the template gives no number in the range.
    std::optional<std::int64_t> of(Exchange& exchange) const {
        if (number_ > 0 || text_.text().empty()) return number_;
        const auto number = parse_decimal<std::int64_t>(trim(text_.expand(exchange, exchange.arena()).text));
        return number && *number >= Least && *number <= most ? number : std::nullopt;
    }
    bool is_template() const noexcept { return !text_.text().empty(); }
    std::int64_t number() const noexcept { return number_; }
    const std::string& text() const noexcept { return text_.text(); }

private:
    std::int64_t number_ = Least;
    expr::Template text_;
};

}  // namespace gateway::plugins

template <std::int64_t Least>
struct gateway::config::Codec<gateway::plugins::Quantity<Least>> {
    using Quantity = gateway::plugins::Quantity<Least>;
    static void read(const json::Value& value, Quantity& out, const Rules&, Errors& errors) {
        const auto number = value.as_int64();
        if (value.is_string() && !value.string().empty()) {
            out = Quantity(value.string());
        } else if (number && *number >= Least && *number <= Quantity::most) {
            out = Quantity(*number);
        } else {
            errors.add("value should match only one schema, but matches none",
                       "expected a whole number from " + std::to_string(Least) + ", or a template that gives one");
        }
    }
    static json::Value write(const Quantity& value) {
        return value.is_template() ? json::Value(value.text()) : json::Value(value.number());
    }
    static json::Value describe(const Rules&) {
        return json::Value::object(
            {{"oneOf", json::Value::array({json::Value::object({{"type", "integer"}, {"minimum", Least}}),
                                           json::Value::object({{"type", "string"}, {"minLength", 1}})})}});
    }
};
