// Whether the certificates of an ssl object can be served, and what people should know of them.
#pragma once

#include <cstdint>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::sources {

// Of an object whose form is good and whose keys are open: errors in the words and order of the reference. Pairs with a
// reference to a secret are not looked at; a key that nobody could open is a warning, for it may be readable again with
// the next keyring. `check_match`: apisix.ssl.check_key_match. `now`: seconds since 1970.
void check_certificates(const json::Value& ssl, bool check_match, std::int64_t now, config::Errors& errors,
                        config::Errors& warnings);

}  // namespace gateway::sources
