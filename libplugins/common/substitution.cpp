#define PCRE2_CODE_UNIT_WIDTH 8
#include "libplugins/common/substitution.hpp"

#include <pcre2.h>

#include <array>
#include <utility>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/regex.hpp"

namespace gateway::plugins {
namespace {

constexpr std::uint32_t match_limit = 1'000'000, depth_limit = 100'000, heap_limit_kib = 4096;

PCRE2_SPTR bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

std::uint32_t flags_of(std::string_view options) {
    std::uint32_t flags = 0;
    for (const char option : options) {
        switch (option) {
            case 'i':
                flags |= PCRE2_CASELESS;
                break;
            case 'm':
                flags |= PCRE2_MULTILINE;
                break;
            case 's':
                flags |= PCRE2_DOTALL;
                break;
            case 'x':
                flags |= PCRE2_EXTENDED;
                break;
            case 'u':
                flags |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
                break;
            case 'j':
            case 'o':
                break;
            default:
                throw expr::RegexError(std::string("unknown flag \"") + option + "\"");
        }
    }
    return flags | ((flags & PCRE2_UTF) == 0 ? PCRE2_NEVER_UTF : 0u);
}

// In the engine's own words: `$1` takes one digit here, as many as there are there.
std::string engine_replacement(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool group = text[i] == '$' && i + 1 < text.size() && is_digit(text[i + 1]);
        const bool dollar = text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$';
        if (group) {
            out.append("${").append(1, text[++i]).append("}");
        } else if (dollar) {
            out.append("$$");
            ++i;
        } else {
            out += text[i];
        }
    }
    return out;
}

// What a match works in; one per thread.
struct Workshop {
    Workshop() {
        pcre2_set_match_limit(context, match_limit);
        pcre2_set_depth_limit(context, depth_limit);
        pcre2_set_heap_limit(context, heap_limit_kib);
    }
    ~Workshop() {
        pcre2_match_data_free(data);
        pcre2_match_context_free(context);
    }
    pcre2_match_data* data = pcre2_match_data_create(expr::Captures::capacity, nullptr);
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
};

Workshop& workshop() {
    thread_local Workshop own;
    return own;
}

}  // namespace

void Substitution::Free::operator()(pcre2_real_code_8* code) const noexcept {
    pcre2_code_free(code);
}

Substitution::Substitution(std::string_view pattern, std::string_view replacement, std::string_view options,
                           Scope scope)
    : scope_(scope) {
    int error = 0;
    PCRE2_SIZE at = 0;
    code_.reset(pcre2_compile(bytes_of(pattern), pattern.size(), flags_of(options), &error, &at, nullptr));
    if (!code_) {
        std::array<unsigned char, 256> text{};
        pcre2_get_error_message(error, text.data(), text.size());
        throw expr::RegexError(std::string(reinterpret_cast<const char*>(text.data())) + " at offset " +
                               std::to_string(at));
    }
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
    const expr::Replacement checked(replacement);
    replacement_ = engine_replacement(replacement);
}

std::optional<std::string_view> Substitution::apply(std::string_view subject, Arena& arena) const {
    const std::uint32_t options = PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_SUBSTITUTE_UNSET_EMPTY |
                                  PCRE2_SUBSTITUTE_UNKNOWN_UNSET |
                                  (scope_ == Scope::global ? PCRE2_SUBSTITUTE_GLOBAL : 0u);
    Workshop& own = workshop();
    PCRE2_SIZE size = subject.size() + subject.size() / 4 + 256;
    for (int attempt = 0; attempt < 2; ++attempt) {
        char* const out = arena.chars(size);
        const int result =
            pcre2_substitute(code_.get(), bytes_of(subject), subject.size(), 0, options, own.data, own.context,
                             bytes_of(replacement_), replacement_.size(), reinterpret_cast<PCRE2_UCHAR*>(out), &size);
        if (result == 0) return subject;
        if (result > 0) return std::string_view(out, size);
        if (result != PCRE2_ERROR_NOMEMORY) return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace gateway::plugins
