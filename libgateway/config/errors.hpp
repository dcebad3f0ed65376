// What is wrong with a value that is being read: every finding with its path, its position and the reference's text.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/json/value.hpp"

namespace gateway::config {

// Configuration that cannot be used. Thrown only while reading and compiling it, never on the request path.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Finding {
    json::Position where;
    std::string field;    // path inside the object: "upstream.nodes[0].port"
    std::string message;  // the innermost text: `property "port" is required`
    std::string hint;     // ours, may be empty: `did you mean "port"?`
    std::string text;     // the message inside the texts of all levels above, as the reference words it
};

// Collects findings. While a reader descends it keeps a Scope per level, so that a finding knows its path.
class Errors {
public:
    enum class Level : std::uint8_t { property, item, additional, plain };

    // One level of the value being read. `name` must outlive the scope; `prefix` stands before the text of findings
    // below.
    class Scope {
    public:
        Scope(Errors& errors, Level level, std::string_view name, const json::Value& value);
        Scope(Errors& errors, std::size_t item, const json::Value& value);
        Scope(Errors& errors, std::string_view name, std::string prefix, const json::Value& value);
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope();

    private:
        Errors& errors_;
    };

    // Whether a text that is a reference to a secret passes for any text: what it stands for is not known here.
    void allow_references(bool allowed = true) noexcept { references_ = allowed; }
    bool references_allowed() const noexcept { return references_; }

    // A finding about the value of the innermost scope.
    void add(std::string message, std::string hint = {});
    // About a member of it that is missing or superfluous; `where` unknown: the position of the innermost scope.
    void add_member(std::string_view member, json::Position where, std::string message, std::string hint = {});

    bool empty() const noexcept { return findings_.empty(); }
    std::size_t size() const noexcept { return findings_.size(); }
    const std::vector<Finding>& findings() const noexcept { return findings_; }
    // The reference's text of the first finding; empty if there is none.
    std::string_view first() const noexcept;
    void clear() noexcept { findings_.clear(); }
    // Throws Error with the first finding's text.
    void throw_if_any() const;

private:
    struct Step {
        Level level = Level::plain;
        std::string_view name;
        std::size_t item = 0;
        std::string prefix;
        json::Position where;
    };
    void report(std::string_view member, json::Position where, std::string message, std::string hint);
    std::vector<Step> path_;
    std::vector<Finding> findings_;
    bool references_ = false;
};

}  // namespace gateway::config
