#include "libgateway/expr/json_path.hpp"

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/json_text.hpp"
#include "libgateway/expr/variable.hpp"

namespace gateway::expr {
namespace {

using Kind = JsonStep::Kind;

class PathReader {
public:
    explicit PathReader(std::string_view text) noexcept : rest_(text) {}
    bool read(std::vector<JsonStep>& steps) {
        if (take("$") && rest_.empty()) return false;
        for (bool first = true; !rest_.empty(); first = false) {
            JsonStep step;
            step.descend = take("..");
            const bool dot = !step.descend && take(".");
            const bool bracket = take("[");
            if (bracket ? dot || !read_bracket(step) : !(first || step.descend || dot) || !read_name(step))
                return false;
            steps.push_back(std::move(step));
        }
        return !steps.empty();
    }

private:
    bool take(std::string_view text) noexcept {
        if (rest_.substr(0, text.size()) != text) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    bool read_name(JsonStep& step) {
        step.name = rest_.substr(0, rest_.find_first_of(".["));
        rest_.remove_prefix(step.name.size());
        if (step.name == "*") step.kind = Kind::any;
        return !step.name.empty();
    }
    bool read_bracket(JsonStep& step) {
        if (!rest_.empty() && (rest_.front() == '\'' || rest_.front() == '"')) return read_quoted(step);
        const std::size_t close = rest_.find(']');
        if (close == std::string_view::npos) return false;
        std::string_view inside = trim(rest_.substr(0, close));
        rest_.remove_prefix(close + 1);
        step.kind = inside == "*" ? Kind::any : Kind::element;
        if (step.kind == Kind::any) return true;
        const bool negative = !inside.empty() && inside.front() == '-';
        const auto index = parse_decimal<std::int64_t>(inside.substr(negative ? 1 : 0));
        if (index) step.index = negative ? -*index : *index;
        return index.has_value();
    }
    bool read_quoted(JsonStep& step) {
        const std::size_t close = rest_.find(rest_.front(), 1);
        if (close == std::string_view::npos || rest_.substr(close + 1, 1) != "]") return false;
        step.name = rest_.substr(1, close - 1);
        rest_.remove_prefix(close + 2);
        return true;
    }
    std::string_view rest_;
};

bool read_dotted(std::string_view path, std::vector<JsonStep>& steps) {
    for (;;) {
        const std::size_t dot = path.find('.');
        JsonStep step;
        step.name = path.substr(0, dot);
        if (step.name.empty()) return false;
        steps.push_back(std::move(step));
        if (dot == std::string_view::npos) return true;
        path.remove_prefix(dot + 1);
    }
}

// Collects what a path leads to. `..` may meet the same bytes many times: the budget ends that.
class Finder {
public:
    Finder(const JsonPath& path, std::size_t body, Arena& arena)
        : path_(path), arena_(arena), budget_(16 * body + 65536) {}

    void follow(std::size_t at, std::string_view value) {
        if (at == path_.steps.size()) return keep(value);
        const JsonStep& step = path_.steps[at];
        apply(at, step, value);
        if (!step.descend) return;
        for (JsonChildren children(value); next(children);) follow(at, children.value());
    }
    bool exhausted() const noexcept { return exhausted_; }
    VariableValue first() const noexcept { return last_ ? last_->value : VariableValue(); }
    VariableValue list() const {
        if (count_ == 0) return {};
        auto* items = static_cast<VariableValue*>(arena_.take(count_ * sizeof(VariableValue), alignof(VariableValue)));
        std::size_t at = count_;
        for (const Found* found = last_; found; found = found->before) ::new (items + --at) VariableValue(found->value);
        return VariableValue::list({items, count_});
    }

private:
    struct Found {
        VariableValue value;
        const Found* before;
    };
    bool next(JsonChildren& children) noexcept {
        if (exhausted_ || !children.next()) return false;
        const std::size_t cost = children.key().size() + children.value().size() + 1;
        exhausted_ = cost > budget_;
        budget_ -= exhausted_ ? 0 : cost;
        return !exhausted_;
    }
    void apply(std::size_t at, const JsonStep& step, std::string_view value) {
        JsonChildren children(value);
        if (step.kind == Kind::any) {
            while (next(children)) follow(at + 1, children.value());
            return;
        }
        if (children.object() != (step.kind == Kind::member)) return;
        std::string_view found;
        if (step.kind == Kind::member) {
            while (next(children)) {
                if (unquote_json(children.key(), arena_) == step.name) found = children.value();
            }
        } else {
            found = element(value, step.index);
        }
        if (!found.empty()) follow(at + 1, found);
    }
    std::string_view element(std::string_view value, std::int64_t index) {
        if (index < 0) {
            std::int64_t size = 0;
            for (JsonChildren children(value); next(children);) ++size;
            index += size;
        }
        for (JsonChildren children(value); index >= 0 && next(children); --index) {
            if (index == 0) return children.value();
        }
        return {};
    }
    void keep(std::string_view text) {
        text = trim_json(text);
        VariableValue value;
        switch (text.front()) {
            case 'n':
                return;
            case 't':
            case 'f':
                value = VariableValue::boolean(text.front() == 't');
                break;
            case '"':
                value = VariableValue::of(unquote_json(text, arena_));
                break;
            case '{':
            case '[':
                value = VariableValue::structured(text);
                break;
            default:
                value = VariableValue::number(text);
        }
        last_ = arena_.make<Found>(Found{value, last_});
        ++count_;
    }

    const JsonPath& path_;
    Arena& arena_;
    std::size_t budget_, count_ = 0;
    bool exhausted_ = false;
    const Found* last_ = nullptr;
};

}  // namespace

JsonPath compile_json_path(std::string_view path) {
    JsonPath out;
    out.list = path.find_first_of("[*") != std::string_view::npos || path.find("..") != std::string_view::npos;
    out.broken = out.list ? !PathReader(path).read(out.steps) : !read_dotted(path, out.steps);
    return out;
}

VariableValue read_json(const JsonPath& path, std::string_view body, Arena& arena) {
    if (path.broken || !is_json(body)) return {};
    Finder finder(path, body.size(), arena);
    finder.follow(0, body);
    if (finder.exhausted()) return {};
    return path.list ? finder.list() : finder.first();
}

}  // namespace gateway::expr
