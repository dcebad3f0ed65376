#include "tests/support/browser.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <stdexcept>

namespace gateway::test {

namespace {

constexpr milliseconds answer_limit{30'000};
constexpr const char* executable = "/usr/bin/chromium";

// Both ends at once, so that neither the shell nor this process waits for the other to open it.
UniqueFd make_pipe(const std::filesystem::path& path) {
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("cannot make a pipe for the browser");
    UniqueFd end(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!end) throw std::runtime_error("cannot open a pipe for the browser");
    return end;
}

std::string in_quotes(std::string_view text) {
    std::string out;
    json::append_quoted(out, text);
    return out;
}

json::Value object(std::initializer_list<std::pair<std::string_view, json::Value>> members) {
    return json::Value::object(members);
}

}  // namespace

bool Browser::installed() {
    return std::filesystem::exists(executable);
}

// Descriptors 3 and 4 are where it expects its pipes.
Browser::Browser() : to_(make_pipe(folder_ / "in")), from_(make_pipe(folder_ / "out")) {
    const std::string home = folder_.path().string();
    const std::string command = std::string("exec ") + executable +
                                " --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run"
                                " --disable-extensions --disable-background-networking --remote-debugging-pipe"
                                " --user-data-dir=\"$0/profile\" 3<\"$0/in\" 4>\"$0/out\"";
    process_ = Process({"/bin/bash", "-c", command, home}, folder_ / "log", {"HOME=" + home});
    const json::Value made = call("Target.createTarget", object({{"url", "about:blank"}}));
    const json::Value attached =
        call("Target.attachToTarget", object({{"targetId", member(made, "targetId")}, {"flatten", true}}));
    session_ = member(attached, "sessionId").string();
    for (const char* domain : {"Page.enable", "Runtime.enable", "Log.enable", "Network.enable"}) call(domain);
    resize(1280, 900, Scheme::light);
}

json::Value Browser::next_message() {
    const auto deadline = std::chrono::steady_clock::now() + answer_limit * patience;
    std::array<char, 65536> block;
    for (;;) {
        if (const std::size_t end = unread_.find('\0'); end != std::string::npos) {
            json::Value message = json::parse(std::string_view(unread_).substr(0, end), {1000, 64 << 20, false});
            unread_.erase(0, end + 1);
            return message;
        }
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd wait{from_.get(), POLLIN, 0};
        if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0)
            throw std::runtime_error("the browser does not answer: " + process_.output());
        const ssize_t size = ::read(from_.get(), block.data(), block.size());
        if (size <= 0) throw std::runtime_error("the browser is gone");
        unread_.append(block.data(), static_cast<std::size_t>(size));
    }
}

json::Value Browser::call(std::string_view method, json::Value parameters) {
    json::Value request =
        object({{"id", ++last_id_}, {"method", json::Value(method)}, {"params", std::move(parameters)}});
    if (!session_.empty()) request.set("sessionId", json::Value(session_));
    const std::string text = json::write(request) + '\0';
    for (std::string_view rest = text; !rest.empty();) {
        const ssize_t size = ::write(to_.get(), rest.data(), rest.size());
        if (size <= 0) throw std::runtime_error("the browser does not read");
        rest.remove_prefix(static_cast<std::size_t>(size));
    }
    for (;;) {
        const json::Value message = next_message();
        note(message);
        if (member(message, "id").as_int64() != static_cast<std::int64_t>(last_id_)) continue;
        if (const json::Value* error = message.find("error"))
            throw std::runtime_error(std::string(method) + ": " + json::write(*error));
        return member(message, "result");
    }
}

// Events on the way to an answer.
void Browser::note(const json::Value& message) {
    const std::string& method = member(message, "method").string();
    const json::Value& parameters = member(message, "params");
    if (method == "Runtime.exceptionThrown") complaints_.push_back(json::write(parameters));
    if (method == "Network.requestWillBeSent")
        requests_.push_back(member(member(parameters, "request"), "url").string());
    if (method != "Log.entryAdded") return;
    const json::Value& entry = member(parameters, "entry");
    const std::string& text = member(entry, "text").string();
    const bool asked_for_key = text.find("401 (Unauthorized)") != std::string::npos;
    if (member(entry, "level").string() == "error" && !asked_for_key) complaints_.push_back(json::write(entry));
}

void Browser::open(const std::string& url) {
    const json::Value answer = call("Page.navigate", object({{"url", json::Value(url)}}));
    const std::string& failed = member(answer, "errorText").string();
    if (!failed.empty()) throw std::runtime_error(url + ": " + failed);
    if (!becomes("document.readyState === 'complete' && location.href !== 'about:blank'"))
        throw std::runtime_error(url + " does not load");
}

json::Value Browser::evaluate(const std::string& expression) {
    const json::Value answer =
        call("Runtime.evaluate",
             object({{"expression", json::Value(expression)}, {"awaitPromise", true}, {"returnByValue", true}}));
    if (const json::Value* thrown = answer.find("exceptionDetails"))
        throw std::runtime_error(expression + ": " + json::write(*thrown));
    return member(member(answer, "result"), "value");
}

bool Browser::becomes(const std::string& expression, milliseconds limit) {
    const std::string safe = "(() => { try { return !!(" + expression + "); } catch { return false; } })()";
    return eventually([&] { return evaluate(safe).boolean(); }, limit);
}

bool Browser::shows(std::string_view text) {
    return becomes("document.body.innerText.includes(" + in_quotes(text) + ")");
}

std::string Browser::text_of(const std::string& selector) {
    return evaluate("document.querySelector(" + in_quotes(selector) + ")?.innerText ?? ''").string();
}

void Browser::fill(const std::string& selector, std::string_view text) {
    evaluate("document.querySelector(" + in_quotes(selector) + ").focus()");
    evaluate("document.querySelector(" + in_quotes(selector) + ").select()");
    call("Input.insertText", object({{"text", json::Value(text)}}));
}

void Browser::click(const std::string& selector) {
    evaluate("document.querySelector(" + in_quotes(selector) + ").click()");
}

void Browser::press(const std::string& key) {
    const int code = key == "Tab" ? 9 : key == "Enter" ? 13 : key == "Escape" ? 27 : 0;
    json::Value down = object({{"type", "keyDown"}, {"key", json::Value(key)}, {"windowsVirtualKeyCode", code}});
    if (key == "Enter") down.set("text", "\r");
    call("Input.dispatchKeyEvent", std::move(down));
    call("Input.dispatchKeyEvent",
         object({{"type", "keyUp"}, {"key", json::Value(key)}, {"windowsVirtualKeyCode", code}}));
}

void Browser::resize(int width, int height, Scheme scheme) {
    call("Emulation.setDeviceMetricsOverride",
         object({{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}}));
    json::Value feature =
        object({{"name", "prefers-color-scheme"}, {"value", scheme == Scheme::dark ? "dark" : "light"}});
    call("Emulation.setEmulatedMedia", object({{"features", json::Value::array({std::move(feature)})}}));
}

void Browser::screenshot(const std::string& file) {
    const json::Value answer = call("Page.captureScreenshot", object({{"format", "png"}}));
    const std::string& text = member(answer, "data").string();
    std::string bytes(text.size(), '\0');
    const int size =
        ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) throw std::runtime_error("the browser's picture cannot be read");
    std::ofstream(file, std::ios::binary).write(bytes.data(), size);
}

}  // namespace gateway::test
