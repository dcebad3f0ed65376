// `gatewayctl keys`: which key reads what in a route file, and the file written anew with the first key.
#pragma once

#include <string>
#include <vector>

#include "libgateway/config/static_config.hpp"

namespace gateway::process {

struct KeysRequest {
    std::vector<std::string> words;  // check [FILE], or reencrypt FILE
    std::string config_path;
    bool dry_run = false, json = false, plain_texts = false;
};

// Prints to standard output; the exit status: 0 done, 1 something is not readable or the file cannot be used, 2 usage.
int run_keys(const KeysRequest& request);

}  // namespace gateway::process
