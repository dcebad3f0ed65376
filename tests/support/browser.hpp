// A headless Chromium for end-to-end tests, told what to do over its debugging pipe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/json/value.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace gateway::test {

// One window with one page; profile and caches are in a folder of its own. Every call throws std::runtime_error if the
// browser does not answer.
class Browser {
public:
    static bool installed();
    Browser();

    // Returns when the page has loaded.
    void open(const std::string& url);
    // The value of a JavaScript expression; what it throws is thrown.
    json::Value evaluate(const std::string& expression);
    // Whether it becomes true in time; false also while it throws.
    bool becomes(const std::string& expression, milliseconds limit = milliseconds(20000));
    // Whether the text is to be seen somewhere on the page, in time.
    bool shows(std::string_view text);
    std::string text_of(const std::string& selector);
    // Types into a field, as a user would: what is there is replaced.
    void fill(const std::string& selector, std::string_view text);
    void click(const std::string& selector);
    // A key by its name in the DOM, as "Tab" or "Enter".
    void press(const std::string& key);

    enum class Scheme : std::uint8_t { light, dark };
    void resize(int width, int height, Scheme scheme);
    void screenshot(const std::string& file);

    // What scripts threw, and what the browser blocked or could not load, but for answers of 401.
    const std::vector<std::string>& complaints() const noexcept { return complaints_; }
    // Addresses that were asked for since the start.
    const std::vector<std::string>& requests() const noexcept { return requests_; }

private:
    json::Value call(std::string_view method, json::Value parameters = json::Value::object());
    json::Value next_message();
    void note(const json::Value& message);

    TempDir folder_;
    UniqueFd to_, from_;
    Process process_;
    std::string unread_, session_;
    std::uint64_t last_id_ = 0;
    std::vector<std::string> complaints_, requests_;
};

}  // namespace gateway::test
