#include "libgateway/route/pattern.hpp"

namespace gateway::route {
namespace {

// The segments of a text, taken from its end. An empty text has one empty segment.
class Backwards {
public:
    explicit Backwards(std::string_view text) noexcept : text_(text) {}
    bool done() const noexcept { return done_; }
    std::string_view last() const noexcept { return text_.substr(text_.rfind('/') + 1); }
    void drop() noexcept {
        const std::size_t at = text_.rfind('/');
        done_ = at == std::string_view::npos;
        text_ = done_ ? std::string_view() : text_.substr(0, at);
    }

private:
    std::string_view text_;
    bool done_ = false;
};

bool starts_segment(std::string_view text, std::size_t at) noexcept {
    return at == 0 || text[at - 1] == '/';
}

std::size_t first_parameter(std::string_view text) noexcept {
    for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
        if (starts_segment(text, at) && at + 1 < text.size() && text[at + 1] != '/') return at;
    }
    return std::string_view::npos;
}

}  // namespace

Pattern Pattern::parse(std::string_view text, bool parameters) noexcept {
    Pattern out;
    out.text_ = text;
    out.parameters_ = parameters;
    const std::size_t star = text.find('*');
    const std::size_t parameter = parameters ? first_parameter(text) : std::string_view::npos;
    const std::size_t cut = star < parameter ? star : parameter;
    out.literal_ = static_cast<std::uint32_t>(cut < text.size() ? cut : text.size());
    if (cut == std::string_view::npos) return out;
    if (cut == star && (star + 1 == text.size() || !starts_segment(text, star))) {
        out.kind_ = PatternKind::prefix;
        out.ignores_rest_ = star + 1 != text.size();
        return out;
    }
    out.kind_ = PatternKind::template_;
    out.optional_slash_ = text.substr(text.size() - 2) == "/?";
    return out;
}

std::string_view Pattern::template_text() const noexcept {
    if (kind_ != PatternKind::template_) return {};
    const std::string_view rest = text_.substr(literal_);
    return optional_slash_ ? rest.substr(0, rest.size() - 2) : rest;
}

bool Pattern::fits_segment(std::string_view segment, std::string_view text) const noexcept {
    if (captures(segment)) return !text.empty();  // only `:name` gets here
    return segment == text;
}

bool Pattern::capture(std::string_view wanted, std::string_view path, std::string_view* value) const noexcept {
    path.remove_prefix(literal_ < path.size() ? literal_ : path.size());
    if (capture_rest(wanted, path, value)) return true;
    return optional_slash_ && !path.empty() && path.back() == '/' &&
           capture_rest(wanted, path.substr(0, path.size() - 1), value);
}

// From the right: each `*` first takes one segment and grows only when the rest does not fit, so the leftmost `*` ends
// up with as much as it can get, as the greedy reading from the left demands. Only the `*` tried last ever has to grow.
bool Pattern::capture_rest(std::string_view wanted, std::string_view path, std::string_view* value) const noexcept {
    const std::string_view segments = template_text();
    Backwards pattern(segments), text(path);
    struct {
        std::string_view segment;
        const char* end = nullptr;                  // of the text it has
        Backwards pattern_left{{}}, text_left{{}};  // beyond it
    } star;
    const auto note = [&](std::string_view segment, const char* begin, const char* end) {
        if (value && segment.data() == wanted.data()) *value = {begin, static_cast<std::size_t>(end - begin)};
    };
    for (;;) {
        if (pattern.done() && text.done()) return true;
        if (!pattern.done() && !text.done()) {
            const std::string_view segment = pattern.last(), piece = text.last();
            const bool is_star = !segment.empty() && segment.front() == '*';
            if (is_star || fits_segment(segment, piece)) {
                pattern.drop(), text.drop();
                if (is_star) star = {segment, piece.data() + piece.size(), pattern, text};
                note(segment, piece.data(), piece.data() + piece.size());
                continue;
            }
        }
        if (star.segment.empty() || star.text_left.done()) return false;
        note(star.segment, star.text_left.last().data(), star.end);
        star.text_left.drop();
        pattern = star.pattern_left, text = star.text_left;
    }
}

bool Pattern::param(std::string_view name, std::string_view path, std::string_view& value) const noexcept {
    std::string_view wanted;
    for (std::string_view rest = template_text(); !rest.empty();) {
        const std::string_view segment = rest.substr(0, rest.find('/'));
        if (captures(segment) && name_of(segment) == name) wanted = segment;
        rest.remove_prefix(segment.size() < rest.size() ? segment.size() + 1 : rest.size());
    }
    return !wanted.empty() && capture(wanted, path, &value);
}

}  // namespace gateway::route
