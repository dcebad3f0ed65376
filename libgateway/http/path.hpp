// One normalised path for every later decision: routing, access rules, variables (router.md 2.1 and 2.2 of the
// specification).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::http {

struct PathOptions {
    bool delete_uri_tail_slash = false;
    bool normalize_uri_like_servlet = false;
    bool match_uri_encoded_slash = false;
};

struct NormalisedPath {
    bool valid = false;      // false: answer 400
    std::string_view uri;    // variable `uri`; equals the raw path (same bytes) when nothing had to change
    std::string_view match;  // what the router compares; differs from `uri` only with match_uri_encoded_slash
    std::string_view
        upstream;  // path to send on when no plugin rewrites it: the raw path, except with normalize_uri_like_servlet
    std::string_view reason;  // static text, when not valid
};

// Allocates from `arena` only if the path changes. Rejects what router.md 2.1 step 6 names, and every target that an
// upstream could read as another path than the one matched here (encoded dot segments that climb, backslashes, NUL).
NormalisedPath normalise(std::string_view raw_path, const PathOptions& options, Arena& arena);

}  // namespace gateway::http
