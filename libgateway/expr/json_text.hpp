// A JSON text read in place, without a document: for variables that want one value out of a request body.
#pragma once

#include <cstddef>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::expr {

// Whether the text is one JSON value (RFC 8259), nested at most 500 deep, with nothing but blanks around. UTF-8 is not
// checked.
bool is_json(std::string_view text) noexcept;

// The rest of this header is for texts, and parts of texts, that is_json() has accepted.

// Without blanks around.
std::string_view trim_json(std::string_view text) noexcept;
// The text between the quotes of a string, escapes decoded (a lone surrogate becomes U+FFFD). Points into `text` if
// there is no escape.
std::string_view unquote_json(std::string_view text, Arena& arena);

// Walks the direct children of an object or array; of anything else there are none.
class JsonChildren {
public:
    explicit JsonChildren(std::string_view container) noexcept;
    // False behind the last one.
    bool next() noexcept;
    std::string_view key() const noexcept { return key_; }      // with its quotes; of objects
    std::string_view value() const noexcept { return value_; }  // its text
    bool object() const noexcept { return object_; }

private:
    std::string_view rest_, key_, value_;
    bool object_ = false;
};

}  // namespace gateway::expr
