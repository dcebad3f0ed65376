// What was found wrong with an object, in the words of the reference's Admin API.
#pragma once

#include <string>

#include "libgateway/config/errors.hpp"

namespace gateway::admin {

// Of a finding of config::check_object. People who read files get more detail than the reference gives: where its
// schema tries alternatives, it does not say why each of them failed.
std::string schema_text(const config::Finding& finding);

// The same as an answer to a write: with `invalid configuration: ` before what the reference finds by its schema.
std::string write_text(const config::Finding& finding);

}  // namespace gateway::admin
