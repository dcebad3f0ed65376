// Path patterns of routes (router.md 3): what is literal, what is a prefix, what is a template with captures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gateway::route {

enum class PatternKind : std::uint8_t {
    exact,     // these bytes only
    prefix,    // every path that starts with literal()
    template_  // starts with literal(), and the whole path fits the segments
};

// A view of a pattern's text with what parsing found out; templates are matched straight from the text, in time
// O(path x pattern) at worst and without memory.
class Pattern {
public:
    // `parameters`: whether `:name` segments are parameters (radixtree_uri_with_parameter). Any text is a pattern.
    static Pattern parse(std::string_view text, bool parameters) noexcept;

    std::string_view text() const noexcept { return text_; }
    std::string_view literal() const noexcept { return text_.substr(0, literal_); }
    PatternKind kind() const noexcept { return kind_; }
    // `/a*b`: what follows the `*` is ignored; worth a warning when such a route is loaded.
    bool ignores_rest() const noexcept { return ignores_rest_; }

    // Whether a path that begins with literal() (exact: equals it) fits the rest.
    bool fits(std::string_view path) const noexcept {
        return kind_ != PatternKind::template_ || capture({}, path, nullptr);
    }

    // Text captured by `:name` / `*name`; of several with the same name the last; the unnamed `*` is called ":ext".
    // False if there is no such name or the path does not fit.
    bool param(std::string_view name, std::string_view path, std::string_view& value) const noexcept;

    // Calls each(name, value) for every captured segment, from the left.
    template <class Each>
    void each_param(std::string_view path, Each&& each) const {
        for (std::string_view rest = template_text(); !rest.empty();) {
            const std::string_view segment = rest.substr(0, rest.find('/'));
            std::string_view value;
            if (captures(segment) && capture(segment, path, &value)) each(name_of(segment), value);
            rest.remove_prefix(segment.size() < rest.size() ? segment.size() + 1 : rest.size());
        }
    }

private:
    bool captures(std::string_view segment) const noexcept {
        return !segment.empty() &&
               (segment.front() == '*' || (parameters_ && segment.size() > 1 && segment.front() == ':'));
    }
    static std::string_view name_of(std::string_view segment) noexcept {
        return segment == "*" ? std::string_view(":ext") : segment.substr(1);
    }
    bool fits_segment(std::string_view segment, std::string_view text) const noexcept;
    std::string_view template_text() const noexcept;
    // Matches; `wanted` is the segment of text_ (same bytes in memory) whose text goes to `value`.
    bool capture(std::string_view wanted, std::string_view path, std::string_view* value) const noexcept;

    bool capture_rest(std::string_view wanted, std::string_view path, std::string_view* value) const noexcept;

    std::string_view text_;
    std::uint32_t literal_ = 0;
    PatternKind kind_ = PatternKind::exact;
    bool parameters_ = false, ignores_rest_ = false, optional_slash_ = false;
};

}  // namespace gateway::route
