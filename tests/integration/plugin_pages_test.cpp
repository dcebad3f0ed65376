// The examples on the pages of docs/plugins: each configuration is served, each command line gives what the page says.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/integration/http_story.hpp"
#include "tests/support/catch.hpp"

using namespace gateway::test;

namespace {

class DemoUpstream {
public:
    explicit DemoUpstream(std::vector<std::string> more = {}) {
        std::vector<std::string> words{std::string(GATEWAY_BIN_DIR) + "/gateway-demo-upstream", "--announce"};
        words.insert(words.end(), more.begin(), more.end());
        process_ = Process(words, folder_ / "output");
        REQUIRE(eventually([this] { return folder_.read("output").ends_with('\n'); }));
    }
    std::string place() const { return "127.0.0.1:" + std::to_string(std::stoi(folder_.read("output"))); }

private:
    TempDir folder_;
    Process process_;
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
        text.replace(at, from.size(), to);
}

// The ports that the pages speak of, and those of this test.
struct Places {
    std::string gateway, upstream, other;
    std::string put_into(std::string text) const {
        replace_all(text, "127.0.0.1:9080", gateway);
        replace_all(text, "127.0.0.1:1980", upstream);
        replace_all(text, "127.0.0.1:1981", other);
        return text;
    }
};

std::string read_page(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::filesystem::path> all_pages() {
    std::vector<std::filesystem::path> pages;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(GATEWAY_SOURCE_DIR) + "/docs/plugins")) {
        const std::string name = entry.path().stem().string();
        if (name != "README" && name != "loggers" && !name.starts_with("test-")) pages.push_back(entry.path());
    }
    std::sort(pages.begin(), pages.end());
    return pages;
}

// The first block with that fence whose text begins so.
std::string block(const std::string& page, const std::string& fence, const std::string& first_words = {}) {
    const std::size_t begin = page.find("\n" + fence + "\n" + first_words);
    if (begin == page.npos) return {};
    const std::size_t from = begin + fence.size() + 2;
    return page.substr(from, page.find("```", from) - from);
}

// A page may show the `plugins` of a route alone.
std::string route_file(const std::string& yaml) {
    if (!yaml.starts_with("plugins:")) return yaml;
    return "routes:\n  - id: 1\n    uri: /*\n" + indented(yaml, "    ") +
           "    upstream: {type: roundrobin, nodes: {\"127.0.0.1:1980\": 1}}\n";
}

// "$ command", then lines of its output; others may stand between, "…" stands for any text within one.
struct Step {
    std::string command;
    std::vector<std::string> lines;
};
std::vector<Step> steps_of(const std::string& console) {
    std::vector<Step> steps;
    for (std::string_view rest = console; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        if (line.starts_with("$ ")) {
            steps.push_back({std::string(line.substr(2)), {}});
        } else if (!steps.empty()) {
            steps.back().lines.emplace_back(line);
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return steps;
}

bool fits(std::string_view line, std::string_view wanted) {
    constexpr std::string_view any = "…";
    const std::size_t gap = wanted.find(any);
    if (gap == wanted.npos) return line == wanted;
    if (!line.starts_with(wanted.substr(0, gap))) return false;
    line.remove_prefix(gap);
    wanted.remove_prefix(gap + any.size());
    for (std::size_t at = 0; at <= line.size(); ++at) {
        if (fits(line.substr(at), wanted)) return true;
    }
    return false;
}

// The first line that the output should have and has not, behind those before it; empty: all are there.
std::string missing_line(std::string out, const std::vector<std::string>& wanted) {
    std::erase(out, '\r');
    std::size_t at = 0;
    for (const std::string& line : wanted) {
        bool found = false;
        while (!found && at < out.size()) {
            const std::size_t end = std::min(out.find('\n', at), out.size());
            found = fits(std::string_view(out).substr(at, end - at), line);
            at = end + 1;
        }
        if (!found) return line;
    }
    return {};
}

}  // namespace

TEST_CASE("plugin pages: what they show works as they say", "[e2e][plugin_pages]") {
    const DemoUpstream upstream, other({"--name", "upstream-1981"});
    GatewayOptions options;
    options.environment = {"JACK_KEY=key-of-jack", "JACK_SECRET=jack-secret-0123456789abcdef"};
    GatewayProcess gateway(options);
    const Places places{"127.0.0.1:" + std::to_string(gateway.port()), upstream.place(), other.place()};
    std::size_t commands = 0;
    for (const auto& path : all_pages()) {
        INFO(path.stem().string());
        const std::string page = read_page(path), yaml = block(page, "```yaml");
        CHECK_FALSE(yaml.empty());
        const RunResult loaded = gateway.reload(places.put_into(route_file(yaml)));
        INFO(loaded.out);
        CHECK(loaded.exit == 0);
        const std::string console = places.put_into(block(page, "```", "$ "));
        if (console.find("127.0.0.1:9091") != console.npos) continue;  // metrics appear every 15 seconds only
        for (const Step& step : steps_of(console)) {
            const RunResult said = run({"bash", "-c", step.command}, milliseconds(20000));
            INFO(step.command << "\n" << said.out);
            CHECK(missing_line(said.out, step.lines) == "");
            ++commands;
        }
    }
    CHECK(commands >= 30);
}
