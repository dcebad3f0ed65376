// The authority of a request: what is a valid one, and the host name that routing compares (router.md 2.3 of the
// specification).
#pragma once

#include <string_view>

#include "libgateway/base/arena.hpp"

namespace gateway::http {

// host [ ":" port ] without userinfo: letters, digits and the marks of RFC 3986, 3.2.2 but "%" and ","; brackets only
// around an IPv6 address; port of at most 65535, may be empty. The empty text is not valid.
bool valid_authority(std::string_view authority) noexcept;

// The host for matching: port cut, lower case, one trailing dot dropped, brackets of IPv6 kept; "_" if nothing is left.
// Takes a valid authority or an empty one; allocates only if a letter has to change.
std::string_view host_of(std::string_view authority, Arena& arena);

}  // namespace gateway::http
