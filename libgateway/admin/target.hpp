// The target of a request taken apart: path segments and parameters, decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::admin {

class Target {
public:
    explicit Target(std::string_view target);

    const std::string& path() const noexcept { return path_; }
    // The parts between slashes below `prefix` ("/apisix/admin"); nothing if the path is not below it. Empty parts at
    // the end are left out.
    std::optional<std::vector<std::string>> below(std::string_view prefix) const;
    // The last parameter of that name; nullptr if there is none. One without `=` is empty.
    const std::string* parameter(std::string_view name) const noexcept;

private:
    std::string path_;  // as it came
    std::vector<std::pair<std::string, std::string>> parameters_;
};

// Names and values of a text like "a=1&b=2"; `%` escapes are undone, `+` is a blank.
std::vector<std::pair<std::string, std::string>> split_parameters(std::string_view query);

}  // namespace gateway::admin
