// Golden cases of configuration: one file holds an input and, after `--- expect`, what must be said about it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::test {

struct GoldenCase {
    std::string name, input, expected;
};

// All cases of tests/golden/config whose names begin with `prefix`, by name.
inline std::vector<GoldenCase> golden_cases(std::string_view prefix) {
    std::vector<GoldenCase> cases;
    for (const auto& entry : std::filesystem::directory_iterator(GATEWAY_GOLDEN_DIR "/config")) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        const std::string_view mark = "--- expect\n";
        const std::size_t at = text.find(mark);
        if (at == text.npos) continue;
        cases.push_back({name, text.substr(0, at), text.substr(at + mark.size())});
    }
    std::sort(cases.begin(), cases.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return cases;
}

}  // namespace gateway::test
