// What is reported to people about configuration: one line or one JSON object per finding, the same text everywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/errors.hpp"
#include "libgateway/json/value.hpp"

namespace gateway::config {

enum class Severity : std::uint8_t { error, warning };
std::string_view name_of(Severity severity) noexcept;

struct Diagnostic {
    Severity severity = Severity::error;
    std::string file;
    json::Position where;  // line 0: not known
    std::string object;    // "routes/12"; empty for the document itself
    std::string field;     // dotted path inside the object
    std::string message;
    std::string hint;

    // `file:line:column: error: routes/12 field: message (hint)`; parts that are empty are left out. Always one line.
    std::string text() const;
    json::Value to_json() const;
};

// All that was found in one reading. Warnings do not stop a document, errors do.
class Diagnostics {
public:
    void add(Diagnostic diagnostic);
    void error(std::string_view file, json::Position where, std::string_view object, std::string message);
    void warning(std::string_view file, json::Position where, std::string_view object, std::string message);
    void add(const Errors& errors, std::string_view file, std::string_view object, Severity severity = Severity::error);
    void append(const Diagnostics& other);

    bool ok() const noexcept { return errors_ == 0; }
    std::size_t errors() const noexcept { return errors_; }
    std::size_t warnings() const noexcept { return list_.size() - errors_; }
    const std::vector<Diagnostic>& list() const noexcept { return list_; }
    // By file, line and column; findings without position keep their order before the others.
    void sort();
    // One line each, errors and warnings.
    std::string text() const;
    json::Value to_json() const;

private:
    std::vector<Diagnostic> list_;
    std::size_t errors_ = 0;
};

}  // namespace gateway::config
