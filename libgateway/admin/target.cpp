#include "libgateway/admin/target.hpp"

#include "libgateway/base/strings.hpp"

namespace gateway::admin {

namespace {

enum class Plus { kept, blank };

// A broken escape stands for itself.
std::string decoded(std::string_view text, Plus plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size();
        const int high = escape ? hex_value(text[i + 1]) : -1, low = escape ? hex_value(text[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += plus == Plus::blank && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> split_parameters(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> list;
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view part = query.substr(0, end);
        const std::size_t equals = part.find('=');
        if (!part.empty()) {
            const std::string_view value = equals == part.npos ? std::string_view() : part.substr(equals + 1);
            list.emplace_back(decoded(part.substr(0, equals), Plus::blank), decoded(value, Plus::blank));
        }
        if (end == query.npos) break;
        query.remove_prefix(end + 1);
    }
    return list;
}

Target::Target(std::string_view target) {
    target = target.substr(0, target.find('#'));
    const std::size_t mark = target.find('?');
    path_ = target.substr(0, mark);
    if (mark != target.npos) parameters_ = split_parameters(target.substr(mark + 1));
}

std::optional<std::vector<std::string>> Target::below(std::string_view prefix) const {
    std::string_view rest = path_;
    if (!rest.starts_with(prefix)) return std::nullopt;
    rest.remove_prefix(prefix.size());
    if (!rest.empty() && rest.front() != '/') return std::nullopt;
    std::vector<std::string> parts;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find('/'), rest.size());
        parts.push_back(decoded(rest.substr(0, end), Plus::kept));
        rest.remove_prefix(end);
    }
    while (!parts.empty() && parts.back().empty()) parts.pop_back();
    return parts;
}

const std::string* Target::parameter(std::string_view name) const noexcept {
    for (auto one = parameters_.rbegin(); one != parameters_.rend(); ++one) {
        if (one->first == name) return &one->second;
    }
    return nullptr;
}

}  // namespace gateway::admin
