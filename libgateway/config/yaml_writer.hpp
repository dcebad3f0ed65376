// Writes a JSON value as YAML for people: blocks, with every text quoted that could be taken for something else.
#pragma once

#include <string>

#include "libgateway/json/value.hpp"

namespace gateway::config {

// One document that YAML 1.1 and 1.2 readers read back as the same value; numbers keep their digits.
std::string write_yaml(const json::Value& value);

}  // namespace gateway::config
