#include "libgateway/control/table.hpp"

#include <algorithm>

namespace gateway::control {

namespace {

// Code points, so that names beyond ASCII line up in most fonts.
std::size_t width_of(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return out;
}

void Table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells) cell = printable(cell);
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        if (row.size() > widths.size()) widths.resize(row.size());
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    }
    std::string out;
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]) + 2, ' ');
        }
        while (!out.empty() && out.back() == ' ') out.pop_back();
        out += '\n';
    }
    return out;
}

std::string cell(const json::Value& object, std::string_view name) {
    const json::Value& value = json::member(object, name);
    if (value.is_null()) return "-";
    if (value.is_string()) return printable(value.string());
    if (!value.is_array()) return json::write(value);
    std::string list;
    for (const json::Value& item : value.items()) {
        if (!list.empty()) list += ' ';
        list += item.is_string() ? printable(item.string()) : json::write(item);
    }
    return list.empty() ? "-" : list;
}

}  // namespace gateway::control
