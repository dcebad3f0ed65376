#include "libgateway/config/errors.hpp"

#include <utility>

namespace gateway::config {

Errors::Scope::Scope(Errors& errors, Level level, std::string_view name, const json::Value& value) : errors_(errors) {
    errors_.path_.push_back({level, name, 0, {}, value.where});
}
Errors::Scope::Scope(Errors& errors, std::size_t item, const json::Value& value) : errors_(errors) {
    errors_.path_.push_back({Level::item, {}, item, {}, value.where});
}
Errors::Scope::Scope(Errors& errors, std::string_view name, std::string prefix, const json::Value& value)
    : errors_(errors) {
    errors_.path_.push_back({Level::plain, name, 0, std::move(prefix), value.where});
}
Errors::Scope::~Scope() {
    errors_.path_.pop_back();
}

void Errors::add(std::string message, std::string hint) {
    report({}, {}, std::move(message), std::move(hint));
}
void Errors::add_member(std::string_view member, json::Position where, std::string message, std::string hint) {
    report(member, where, std::move(message), std::move(hint));
}

std::string_view Errors::first() const noexcept {
    return findings_.empty() ? std::string_view() : findings_.front().text;
}
void Errors::throw_if_any() const {
    if (!findings_.empty()) throw Error(findings_.front().text);
}

void Errors::report(std::string_view member, json::Position where, std::string message, std::string hint) {
    Finding finding{where, {}, std::move(message), std::move(hint), {}};
    for (const Step& step : path_) {
        const std::string name(step.name);
        switch (step.level) {
            case Level::property:
                finding.text += "property \"" + name + "\" validation failed: ";
                break;
            case Level::additional:
                finding.text += "failed to validate additional property " + name + ": ";
                break;
            case Level::item:
                finding.text += "failed to validate item " + std::to_string(step.item + 1) + ": ";
                break;
            case Level::plain:
                finding.text += step.prefix;
                break;
        }
        if (step.level == Level::item) {
            finding.field += "[" + std::to_string(step.item) + "]";
        } else if (!name.empty()) {
            finding.field += (finding.field.empty() ? "" : ".") + name;
        }
        if (where.line == 0 && step.where.line != 0) finding.where = step.where;
    }
    if (!member.empty()) finding.field.append(finding.field.empty() ? "" : ".").append(member);
    finding.text += finding.message;
    findings_.push_back(std::move(finding));
}

}  // namespace gateway::config
