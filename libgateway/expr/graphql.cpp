#include "libgateway/expr/graphql.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"

namespace gateway::expr {
namespace {

constexpr int depth_limit = 200;

constexpr bool is_name_start(char c) noexcept {
    return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_';
}

// Splits a document into tokens; an empty token is the end, or an error if failed().
class Tokens {
public:
    explicit Tokens(std::string_view text) noexcept : rest_(text) {
        if (rest_.substr(0, 3) == "\xEF\xBB\xBF") rest_.remove_prefix(3);
        advance();
    }
    std::string_view peek() const noexcept { return token_; }
    bool failed() const noexcept { return failed_; }
    bool at_name() const noexcept { return !token_.empty() && is_name_start(token_.front()); }
    std::string_view take() noexcept {
        const std::string_view token = token_;
        advance();
        return token;
    }
    bool take(std::string_view wanted) noexcept {
        if (token_ != wanted) return false;
        advance();
        return true;
    }

private:
    void advance() noexcept {
        skip_ignored();
        const std::size_t size = failed_ || rest_.empty() ? 0 : token_size();
        failed_ |= size == 0 && !rest_.empty();
        token_ = rest_.substr(0, size);
        rest_.remove_prefix(size);
    }
    void skip_ignored() noexcept {
        while (!rest_.empty()) {
            if (rest_.front() == '#') {
                rest_.remove_prefix(std::min(rest_.find_first_of("\r\n"), rest_.size()));
            } else if (std::string_view(" \t\r\n,").find(rest_.front()) != std::string_view::npos) {
                rest_.remove_prefix(1);
            } else {
                return;
            }
        }
    }
    std::size_t token_size() const noexcept {
        const char c = rest_.front();
        if (is_name_start(c)) {
            std::size_t at = 1;
            while (at < rest_.size() && (is_name_start(rest_[at]) || is_digit(rest_[at]))) ++at;
            return at;
        }
        if (rest_.substr(0, 3) == "...") return 3;
        if (std::string_view("!$&():=@[]{|}").find(c) != std::string_view::npos) return 1;
        if (c == '"') return string_size();
        return c == '-' || is_digit(c) ? number_size() : 0;
    }
    std::size_t number_size() const noexcept {
        std::size_t at = 1;
        while (at < rest_.size() && std::string_view("+-.eE0123456789").find(rest_[at]) != std::string_view::npos) ++at;
        return is_digit(rest_[at - 1]) ? at : 0;
    }
    std::size_t string_size() const noexcept {
        if (rest_.substr(0, 3) == "\"\"\"") return block_string_size();
        for (std::size_t at = 1; at < rest_.size() && rest_[at] != '\n' && rest_[at] != '\r'; ++at) {
            if (rest_[at] == '"') return at + 1;
            if (rest_[at] == '\\') ++at;
        }
        return 0;
    }
    std::size_t block_string_size() const noexcept {
        for (std::size_t at = rest_.find("\"\"\"", 3); at != std::string_view::npos;
             at = rest_.find("\"\"\"", at + 1)) {
            if (rest_[at - 1] != '\\') return at + 3;
        }
        return 0;
    }
    std::string_view rest_, token_;
    bool failed_ = false;
};

class Parser {
public:
    Parser(std::string_view document, Arena& arena) noexcept : tokens_(document), arena_(arena) {}

    bool document(GraphqlOperation& out) {
        if (!first_definition(out)) return false;
        while (!tokens_.peek().empty()) {
            GraphqlOperation other;
            const bool fine = tokens_.peek() == "fragment" ? fragment() : operation(other, nullptr);
            if (!fine) return false;
        }
        return !tokens_.failed();
    }

private:
    struct Fields {
        struct Node {
            std::string_view name;
            const Node* before;
        };
        const Node* last = nullptr;
        std::size_t count = 0;
    };

    bool first_definition(GraphqlOperation& out) {
        Fields fields;
        if (!operation(out, &fields)) return false;
        auto* items =
            static_cast<VariableValue*>(arena_.take(fields.count * sizeof(VariableValue), alignof(VariableValue)));
        std::size_t at = fields.count;
        for (const auto* node = fields.last; node; node = node->before) {
            ::new (items + --at) VariableValue(VariableValue::of(node->name));
        }
        out.root_fields = VariableValue::list({items, fields.count});
        return true;
    }
    bool operation(GraphqlOperation& out, Fields* fields) {
        out.operation = "query";
        if (tokens_.peek() != "{") {
            const std::string_view type = tokens_.take();
            if (type != "query" && type != "mutation" && type != "subscription") return false;
            out.operation = type;
            if (tokens_.at_name()) out.name = tokens_.take();
            if (tokens_.peek() == "(" && !variable_definitions()) return false;
            if (!directives()) return false;
        }
        return selection_set(fields, 0);
    }
    bool fragment() {
        tokens_.take();
        if (!tokens_.at_name() || tokens_.take() == "on") return false;
        return tokens_.take("on") && name() && directives() && selection_set(nullptr, 0);
    }
    bool name() noexcept { return tokens_.at_name() && (tokens_.take(), true); }

    bool selection_set(Fields* fields, int depth) {
        if (depth > depth_limit || !tokens_.take("{")) return false;
        do {
            if (tokens_.peek() == "..." ? !spread(depth) : !field(fields, depth)) return false;
        } while (!tokens_.take("}"));
        return true;
    }
    bool field(Fields* fields, int depth) {
        if (!tokens_.at_name()) return false;
        std::string_view field_name = tokens_.take();
        if (tokens_.take(":")) {
            if (!tokens_.at_name()) return false;
            field_name = tokens_.take();
        }
        if (fields) {
            fields->last = arena_.make<Fields::Node>(Fields::Node{field_name, fields->last});
            ++fields->count;
        }
        if (tokens_.peek() == "(" && !arguments(depth)) return false;
        return directives() && (tokens_.peek() != "{" || selection_set(nullptr, depth + 1));
    }
    bool spread(int depth) {
        tokens_.take();
        if (tokens_.at_name() && tokens_.peek() != "on") return name() && directives();
        if (tokens_.take("on") && !name()) return false;
        return directives() && selection_set(nullptr, depth + 1);
    }
    bool directives() {
        while (tokens_.take("@")) {
            if (!name() || (tokens_.peek() == "(" && !arguments(0))) return false;
        }
        return true;
    }
    bool arguments(int depth) {
        tokens_.take();
        do {
            if (!name() || !tokens_.take(":") || !value(depth)) return false;
        } while (!tokens_.take(")"));
        return true;
    }
    bool value(int depth) {
        if (depth > depth_limit || tokens_.peek().empty()) return false;
        if (tokens_.take("$")) return name();
        if (tokens_.take("[")) {
            while (!tokens_.take("]")) {
                if (!value(depth + 1)) return false;
            }
            return true;
        }
        if (tokens_.take("{")) {
            while (!tokens_.take("}")) {
                if (!name() || !tokens_.take(":") || !value(depth + 1)) return false;
            }
            return true;
        }
        const char c = tokens_.peek().front();
        if (!is_name_start(c) && c != '"' && c != '-' && !is_digit(c)) return false;
        tokens_.take();
        return true;
    }
    bool variable_definitions() {
        tokens_.take();
        do {
            if (!tokens_.take("$") || !name() || !tokens_.take(":") || !type(0)) return false;
            if (tokens_.take("=") && !value(0)) return false;
            if (!directives()) return false;
        } while (!tokens_.take(")"));
        return true;
    }
    bool type(int depth) {
        if (depth > depth_limit) return false;
        if (tokens_.take("[")) {
            if (!type(depth + 1) || !tokens_.take("]")) return false;
        } else if (!name()) {
            return false;
        }
        tokens_.take("!");
        return true;
    }

    Tokens tokens_;
    Arena& arena_;
};

}  // namespace

GraphqlOperation parse_graphql(std::string_view document, Arena& arena) {
    GraphqlOperation out;
    out.valid = Parser(document, arena).document(out);
    return out.valid ? out : GraphqlOperation();
}

bool graphql_document(std::string_view method, std::string_view content_type, std::string_view query_string,
                      std::string_view body, Arena& arena, std::string_view& document) {
    VariableValue value;
    if (method == "GET") {
        value = find_argument(query_string, "query", arena);
    } else if (method == "POST" && content_type == "application/json") {
        static const JsonPath member = compile_json_path("query");
        value = read_json(member, body, arena);
    } else if (method == "POST") {
        value = VariableValue::of(body);
    }
    document = value.text;
    return value.kind == ValueKind::text;
}

}  // namespace gateway::expr
