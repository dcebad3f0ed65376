#include "libgateway/sources/proto_content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "libgateway/base/strings.hpp"
#include "libgateway/keyring/base64.hpp"

namespace gateway::sources {

namespace {

constexpr std::array<std::string_view, 9> statements{"syntax",  "edition", "import",  "package", "option",
                                                     "message", "enum",    "service", "extend"};

bool in_word(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_' || c == '.';
}

// One token after the other. A problem ends the text.
class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) {}

    // A word, a quoted text or one character; empty at the end.
    std::string_view next() {
        skip();
        begin_ = at_;
        if (at_ == text_.size()) return {};
        const char first = text_[at_++];
        if (first == '"' || first == '\'') return quoted(first);
        if (!in_word(first)) return text_.substr(begin_, 1);
        while (at_ < text_.size() && in_word(text_[at_])) ++at_;
        return text_.substr(begin_, at_ - begin_);
    }
    const std::string& problem() const noexcept { return problem_; }
    // Of the last token.
    std::string tell(std::string_view what) const {
        const std::string_view before = text_.substr(0, begin_);
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        const std::size_t start = before.rfind('\n');
        return fmt::format("{}:{}: {}", line, begin_ - (start == before.npos ? 0 : start + 1) + 1, what);
    }

private:
    void fail(std::string_view what) {
        problem_ = tell(what);
        at_ = text_.size();
    }
    void skip() {
        while (at_ < text_.size()) {
            const std::string_view rest = text_.substr(at_);
            const bool block = rest.starts_with("/*");
            begin_ = at_;
            if (block || rest.starts_with("//")) {
                const std::size_t end = rest.find(block ? "*/" : "\n", 2);
                if (block && end == rest.npos) return fail("a comment without end");
                at_ = end == rest.npos ? text_.size() : at_ + end + (block ? 2 : 1);
            } else if (rest[0] == ' ' || (rest[0] >= '\t' && rest[0] <= '\r')) {
                ++at_;
            } else {
                return;
            }
        }
    }
    std::string_view quoted(char mark) {
        while (at_ < text_.size() && text_[at_] != mark && text_[at_] != '\n') at_ += text_[at_] == '\\' ? 2 : 1;
        if (at_ >= text_.size() || text_[at_] != mark) {
            fail("a quoted text without end");
            return {};
        }
        ++at_;
        return text_.substr(begin_, at_ - begin_);
    }

    std::string_view text_;
    std::size_t at_ = 0, begin_ = 0;
    std::string problem_;
};

// Of one statement, from the token behind its first word to `;` or the end of its block.
std::string finish_statement(Tokens& tokens) {
    std::string open;  // brackets that wait for their end
    for (;;) {
        const std::string_view token = tokens.next();
        if (token.empty())
            return tokens.problem().empty() ? tokens.tell("the text ends in a statement") : tokens.problem();
        if (token == ";" && open.empty()) return {};
        const std::size_t opening = token.size() == 1 ? std::string_view("{[(<").find(token[0]) : token.npos;
        if (opening != token.npos) open += "}])>"[opening];
        if (token.size() != 1 || std::string_view("}])>").find(token[0]) == token.npos) continue;
        if (open.empty() || open.back() != token[0]) return tokens.tell(fmt::format("unexpected \"{}\"", token));
        open.pop_back();
        if (open.empty() && token == "}") return {};
    }
}

std::string text_problem(std::string_view content) {
    Tokens tokens(content);
    std::size_t count = 0;
    for (;;) {
        const std::string_view token = tokens.next();
        if (token.empty()) break;
        ++count;
        if (token == ";") continue;
        if (std::find(statements.begin(), statements.end(), token) == statements.end())
            return tokens.tell(fmt::format("expected a statement of a .proto file, found \"{}\"", token.substr(0, 40)));
        if (std::string problem = finish_statement(tokens); !problem.empty()) return problem;
    }
    if (!tokens.problem().empty()) return tokens.problem();
    return count == 0 ? "there is nothing in it" : "";
}

std::optional<std::uint64_t> read_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

// A FileDescriptorSet: files, each of them field 1 with its length, and nothing else.
bool is_descriptor_set(std::string_view bytes) {
    if (bytes.empty()) return false;
    while (!bytes.empty()) {
        const auto tag = read_varint(bytes), size = read_varint(bytes);
        if (tag != std::uint64_t{0x0a} || !size || *size > bytes.size()) return false;
        bytes.remove_prefix(*size);
    }
    return true;
}

}  // namespace

std::string proto_problem(std::string_view content) {
    if (const auto bytes = keyring::decode_base64(content); bytes && is_descriptor_set(*bytes)) return {};
    return text_problem(content);
}

}  // namespace gateway::sources
