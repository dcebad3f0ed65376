#include "libgateway/config/diagnostic.hpp"

#include <algorithm>
#include <tuple>

namespace gateway::config {

namespace {

// Text of a configuration may hold anything; a report stays on its line.
std::string on_one_line(std::string_view text) {
    constexpr char hex[] = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out.append("\\x").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
        }
    }
    return out;
}

}  // namespace

std::string_view name_of(Severity severity) noexcept {
    return severity == Severity::error ? "error" : "warning";
}

std::string Diagnostic::text() const {
    std::string out = file;
    if (where.line) out += ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
    if (!out.empty()) out += ": ";
    out.append(name_of(severity)).append(": ");
    out += object;
    if (!field.empty()) out.append(object.empty() ? "" : " ").append(field);
    if (!object.empty() || !field.empty()) out += ": ";
    out += message;
    if (!hint.empty()) out += " (" + hint + ")";
    return on_one_line(out);
}

json::Value Diagnostic::to_json() const {
    json::Value out = json::Value::object({{"severity", name_of(severity)}});
    if (!file.empty()) out.set("file", file);
    if (where.line) {
        out.set("line", where.line);
        out.set("column", where.column);
    }
    if (!object.empty()) out.set("object", object);
    if (!field.empty()) out.set("field", field);
    out.set("message", message);
    if (!hint.empty()) out.set("hint", hint);
    return out;
}

void Diagnostics::add(Diagnostic diagnostic) {
    errors_ += diagnostic.severity == Severity::error;
    list_.push_back(std::move(diagnostic));
}
void Diagnostics::error(std::string_view file, json::Position where, std::string_view object, std::string message) {
    add({Severity::error, std::string(file), where, std::string(object), {}, std::move(message), {}});
}
void Diagnostics::warning(std::string_view file, json::Position where, std::string_view object, std::string message) {
    add({Severity::warning, std::string(file), where, std::string(object), {}, std::move(message), {}});
}
void Diagnostics::add(const Errors& errors, std::string_view file, std::string_view object, Severity severity) {
    for (const Finding& finding : errors.findings()) {
        add({severity, std::string(file), finding.where, std::string(object), finding.field, finding.message,
             finding.hint});
    }
}
void Diagnostics::append(const Diagnostics& other) {
    for (const Diagnostic& diagnostic : other.list_) add(diagnostic);
}

void Diagnostics::sort() {
    std::stable_sort(list_.begin(), list_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.file, a.where.line, a.where.column) < std::tie(b.file, b.where.line, b.where.column);
    });
}
std::string Diagnostics::text() const {
    std::string out;
    for (const Diagnostic& diagnostic : list_) out += diagnostic.text() + "\n";
    return out;
}
json::Value Diagnostics::to_json() const {
    json::Value out = json::Value::array();
    for (const Diagnostic& diagnostic : list_) out.push(diagnostic.to_json());
    return out;
}

}  // namespace gateway::config
