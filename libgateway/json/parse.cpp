#include <boost/json/basic_parser_impl.hpp>

#include "libgateway/json/value.hpp"

namespace gateway::json {

namespace {

using boost::json::error_code;
using boost::json::string_view;

// Handler of basic_parser: builds values on a stack of open containers. Text may arrive in parts.
class Builder {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1), max_array_size = max_object_size,
                                 max_key_size = max_object_size, max_string_size = max_object_size;

    Value take() { return std::move(root_); }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return open(Value::object()); }
    bool on_object_end(std::size_t, error_code&) { return close(); }
    bool on_array_begin(error_code&) { return open(Value::array()); }
    bool on_array_end(std::size_t, error_code&) { return close(); }
    bool on_key_part(string_view part, std::size_t, error_code&) { return keep(part); }
    bool on_key(string_view part, std::size_t, error_code&) {
        keep(part);
        keys_.push_back(std::exchange(text_, {}));
        return true;
    }
    bool on_string_part(string_view part, std::size_t, error_code&) { return keep(part); }
    bool on_string(string_view part, std::size_t, error_code&) {
        keep(part);
        return add(Value(std::exchange(text_, {})));
    }
    bool on_number_part(string_view part, error_code&) { return keep(part); }
    bool on_int64(std::int64_t, string_view part, error_code&) { return number(part); }
    bool on_uint64(std::uint64_t, string_view part, error_code&) { return number(part); }
    bool on_double(double, string_view part, error_code&) { return number(part); }
    bool on_bool(bool value, error_code&) { return add(Value(value)); }
    bool on_null(error_code&) { return add(Value()); }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }

private:
    bool keep(string_view part) {
        text_.append(part.data(), part.size());
        return true;
    }
    bool number(string_view part) {
        keep(part);
        return add(Value::number_from(std::exchange(text_, {})));
    }
    bool open(Value container) {
        open_.push_back(std::move(container));
        return true;
    }
    bool close() {
        Value done = std::move(open_.back());
        open_.pop_back();
        return add(std::move(done));
    }
    bool add(Value value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (open_.back().is_array()) {
            open_.back().make_array().push_back(std::move(value));
        } else {
            open_.back().make_object().push_back({std::move(keys_.back()), std::move(value), {}});
            keys_.pop_back();
        }
        return true;
    }
    Value root_;
    std::vector<Value> open_;
    std::vector<std::string> keys_;
    std::string text_;
};

// Walks a text that is known to be good JSON beside the tree made of it, and notes where each value stands.
class Locator {
public:
    explicit Locator(std::string_view text) noexcept : text_(text) {}

    void value(Value& value) {
        skip_blanks();
        value.where = here();
        if (value.is_array()) {
            ++at_;
            for (Value& item : value.make_array()) {
                this->value(item);
                skip_blanks();
                ++at_;  // comma or closing bracket
            }
            if (value.size() == 0) close_empty();
        } else if (value.is_object()) {
            ++at_;
            for (Member& member : value.make_object()) this->member(member);
            if (value.size() == 0) close_empty();
        } else {
            skip_scalar(value.is_string());
        }
    }

private:
    Position here() const noexcept { return {line_, static_cast<std::uint32_t>(at_ - line_start_ + 1)}; }
    void skip_blanks() noexcept {
        for (; at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' '; ++at_) {
            if (text_[at_] != '\n') continue;
            ++line_;
            line_start_ = at_ + 1;
        }
    }
    void close_empty() noexcept {
        skip_blanks();
        ++at_;
    }
    void member(Member& member) {
        skip_blanks();
        member.where = here();
        skip_scalar(true);
        skip_blanks();
        ++at_;  // colon
        value(member.value);
        skip_blanks();
        ++at_;  // comma or closing brace
    }
    void skip_scalar(bool quoted) noexcept {
        if (!quoted) {
            at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
            return;
        }
        for (++at_; text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\') ++at_;
        }
        ++at_;
    }
    std::string_view text_;
    std::size_t at_ = 0, line_start_ = 0;
    std::uint32_t line_ = 1;
};

void drop_repeated_below(Value& value) {
    if (value.is_array()) {
        for (Value& item : value.make_array()) drop_repeated_below(item);
    } else if (value.is_object()) {
        for (Member& member : value.make_object()) drop_repeated_below(member.value);
        drop_repeated_members(value);
    }
}

Position position_of(std::string_view text, std::size_t offset) noexcept {
    Position where{1, 1};
    for (const char c : text.substr(0, offset)) {
        ++where.column;
        if (c == '\n') where = {where.line + 1, 1};
    }
    return where;
}

ParseFailure failure_at(std::string_view text, std::size_t offset, std::string_view why) {
    ParseFailure failure{position_of(text, offset), offset, {}};
    failure.what = "Expected value but found invalid token at character " + std::to_string(offset + 1);
    failure.what.append(" (").append(why).append(")");
    return failure;
}

}  // namespace

std::optional<Value> try_parse(std::string_view text, ParseFailure& why, const Limits& limits) {
    if (text.size() > limits.bytes) {
        why = {{1, 1},
               0,
               "JSON text of " + std::to_string(text.size()) + " bytes exceeds " + std::to_string(limits.bytes)};
        return std::nullopt;
    }
    boost::json::parse_options options;
    options.max_depth = limits.depth;
    boost::json::basic_parser<Builder> parser(options);
    error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (!error && used < text.size()) error = boost::json::error::extra_data;
    if (error) {
        why = failure_at(text, used, error.message());
        return std::nullopt;
    }
    Value value = parser.handler().take();
    if (limits.positions) Locator(text).value(value);
    drop_repeated_below(value);
    return value;
}

Value parse(std::string_view text, const Limits& limits) {
    ParseFailure why;
    if (auto value = try_parse(text, why, limits)) return std::move(*value);
    throw ParseError(std::move(why));
}

}  // namespace gateway::json
