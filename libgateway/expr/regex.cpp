#define PCRE2_CODE_UNIT_WIDTH 8
#include "libgateway/expr/regex.hpp"

#include <pcre2.h>

#include <algorithm>
#include <utility>

#include "libgateway/base/strings.hpp"

namespace gateway::expr {
namespace {

constexpr std::uint32_t match_limit = 1'000'000, depth_limit = 100'000, heap_limit_kib = 4096;

thread_local std::uint64_t limit_hits = 0;

// What a match works in; one per thread, made at the first match and kept.
struct Workshop {
    Workshop() {
        pcre2_set_match_limit(context, match_limit);
        pcre2_set_depth_limit(context, depth_limit);
        pcre2_set_heap_limit(context, heap_limit_kib);
        if (stack) pcre2_jit_stack_assign(context, nullptr, stack);
    }
    ~Workshop() {
        pcre2_match_data_free(data);
        pcre2_match_context_free(context);
        if (stack) pcre2_jit_stack_free(stack);
    }
    pcre2_match_data* data = pcre2_match_data_create(Captures::capacity, nullptr);
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    pcre2_jit_stack* stack = pcre2_jit_stack_create(32 * 1024, 1024 * 1024, nullptr);
};

Workshop& workshop() {
    thread_local Workshop own;
    return own;
}

void read_captures(Captures& out, std::string_view subject, std::size_t groups) noexcept {
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(workshop().data);
    const std::uint32_t set = pcre2_get_ovector_count(workshop().data);
    out.count = std::min(groups + 1, Captures::capacity);
    for (std::size_t i = 0; i < out.count; ++i) {
        const bool took_part = i < set && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1];
        out.groups[i] = took_part ? subject.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i]) : std::string_view();
    }
}

}  // namespace

void Regex::Free::operator()(pcre2_real_code_8* code) const noexcept {
    pcre2_code_free(code);
}

Regex::Regex(std::string_view pattern, RegexCase mode) {
    int error = 0;
    PCRE2_SIZE at = 0;
    const std::uint32_t options = PCRE2_NEVER_UTF | (mode == RegexCase::insensitive ? PCRE2_CASELESS : 0u);
    code_.reset(
        pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error, &at, nullptr));
    if (!code_) {
        std::array<unsigned char, 256> text{};
        pcre2_get_error_message(error, text.data(), text.size());
        throw RegexError(std::string(reinterpret_cast<const char*>(text.data())) + " at offset " + std::to_string(at));
    }
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // where it is not available the interpreter does the work
    std::uint32_t groups = 0;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &groups);
    groups_ = groups;
}

RegexResult Regex::match(std::string_view subject, Captures* captures) const noexcept {
    Workshop& own = workshop();
    const auto* text = reinterpret_cast<PCRE2_SPTR>(subject.empty() ? "" : subject.data());
    const int result = pcre2_match(code_.get(), text, subject.size(), 0, PCRE2_NO_UTF_CHECK, own.data, own.context);
    if (result == PCRE2_ERROR_NOMATCH) return RegexResult::no_match;
    if (result < 0) {
        ++limit_hits;
        return RegexResult::gave_up;
    }
    if (captures) read_captures(*captures, subject, groups_);
    return RegexResult::match;
}

std::uint64_t match_limit_hits() noexcept {
    return limit_hits;
}

Replacement::Replacement(std::string_view text) {
    const auto fail = [whole = std::string(text)] {
        throw RegexError("invalid capturing variable name found in \"" + whole + "\"");
    };
    Piece piece;
    while (!text.empty()) {
        const std::size_t dollar = text.find('$');
        piece.literal += text.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        text.remove_prefix(dollar + 1);
        if (!text.empty() && text.front() == '$') {
            piece.literal += '$';
            text.remove_prefix(1);
            continue;
        }
        const bool braced = !text.empty() && text.front() == '{';
        const std::size_t close = braced ? text.find('}') : 1;
        const auto group = parse_decimal<unsigned>(braced ? text.substr(1, close - 1) : text.substr(0, 1));
        if (!group || close == std::string_view::npos || *group >= Captures::capacity) fail();
        piece.group = static_cast<int>(*group);
        highest_ = std::max<std::size_t>(highest_, *group);
        pieces_.push_back(std::exchange(piece, {}));
        text.remove_prefix(braced ? close + 1 : 1);
    }
    if (!piece.literal.empty()) pieces_.push_back(std::move(piece));
}

std::string_view Replacement::expand(const Captures& captures, Arena& arena) const {
    const auto group_of = [&](const Piece& piece) {
        const auto at = static_cast<std::size_t>(piece.group);
        return piece.group >= 0 && at < captures.count ? captures.groups[at] : std::string_view();
    };
    std::size_t size = 0;
    for (const Piece& piece : pieces_) size += piece.literal.size() + group_of(piece).size();
    char* const begin = arena.chars(size);
    char* out = begin;
    for (const Piece& piece : pieces_) {
        out += piece.literal.copy(out, piece.literal.size());
        const std::string_view group = group_of(piece);
        out += group.copy(out, group.size());
    }
    return {begin, size};
}

std::optional<std::string_view> replace_first(const Regex& regex, const Replacement& replacement,
                                              std::string_view subject, Arena& arena) {
    Captures captures;
    if (regex.match(subject, &captures) != RegexResult::match) return std::nullopt;
    const std::string_view whole = captures.groups[0];
    if (!whole.data()) return std::nullopt;  // a \K behind the match's end
    const auto before = static_cast<std::size_t>(whole.data() - subject.data());
    return arena.join(subject.substr(0, before), replacement.expand(captures, arena),
                      subject.substr(before + whole.size()));
}

}  // namespace gateway::expr
