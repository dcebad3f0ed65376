// Text with variables in it: `$name`, `${name}`, `${ name ?? default }`, compiled once (plugins/README.md 7.2).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/arena.hpp"
#include "libgateway/expr/variable.hpp"

namespace gateway::expr {

struct Expansion {
    std::string_view text;       // lives in the arena, or in the template when nothing had to be replaced
    std::uint32_t resolved = 0;  // variables found set; 0 matters to rate-limit keys
};

// Immutable; lives with the configuration that uses it. `\$` is not expanded, its backslash is kept.
class Template {
public:
    Template() = default;
    explicit Template(std::string_view text);

    // `captures`: of a regular expression, for `$1`, `${1}` ($0 is the whole match); without them such names are unset.
    Expansion expand(const VariableSource& source, Arena& arena, std::span<const std::string_view> captures = {}) const;

    // No variable in it: expand() always gives text().
    bool constant() const noexcept { return variables_ == 0; }
    const std::string& text() const noexcept { return text_; }
    bool needs_body() const noexcept;

private:
    struct Piece {
        std::string literal;   // before the variable; also the only part of the last piece
        Variable variable;     // kind unknown with an empty name: none
        std::string fallback;  // text after `??`
        int capture = -1;
    };
    std::string_view value_of(const Piece& piece, const VariableSource& source,
                              std::span<const std::string_view> captures, Arena& arena, Expansion& out) const;

    std::string text_;
    std::vector<Piece> pieces_;
    std::uint32_t variables_ = 0;
};

}  // namespace gateway::expr
