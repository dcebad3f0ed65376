#include <algorithm>
#include <vector>

#include "libgateway/json/value.hpp"

namespace gateway::json {

namespace {

void append_control(std::string& out, char c) {
    constexpr char hex[] = "0123456789abcdef";
    switch (c) {
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            out += "\\u00";
            out += hex[(c >> 4) & 15];
            out += hex[c & 15];
    }
}

bool plain(char c) noexcept {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

// `members(value)` decides the order of an object's members.
template <class Members>
void append_with(std::string& out, const Value& value, Members&& members) {
    char separator = 0;
    switch (value.kind()) {
        case Kind::null:
            out += "null";
            return;
        case Kind::boolean:
            out += value.boolean() ? "true" : "false";
            return;
        case Kind::number:
            out += value.number();
            return;
        case Kind::string:
            append_quoted(out, value.string());
            return;
        case Kind::array:
            out += '[';
            for (const Value& item : value.items()) {
                if (separator) out += separator;
                separator = ',';
                append_with(out, item, members);
            }
            out += ']';
            return;
        case Kind::object:
            out += '{';
            members(value, [&](const Member& member) {
                if (separator) out += separator;
                separator = ',';
                append_quoted(out, member.key);
                out += ':';
                append_with(out, member.value, members);
            });
            out += '}';
    }
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    std::size_t start = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (plain(text[at])) continue;
        out.append(text, start, at - start);
        start = at + 1;
        if (text[at] == '"' || text[at] == '\\') {
            out += '\\';
            out += text[at];
        } else {
            append_control(out, text[at]);
        }
    }
    out.append(text, start, text.size() - start);
    out += '"';
}

void append(std::string& out, const Value& value) {
    append_with(out, value, [](const Value& object, auto&& each) {
        for (const Member& member : object.members()) each(member);
    });
}
std::string write(const Value& value) {
    std::string out;
    append(out, value);
    return out;
}

std::string write_sorted(const Value& value) {
    std::string out;
    append_with(out, value, [](const Value& object, auto&& each) {
        std::vector<const Member*> sorted;
        for (const Member& member : object.members()) sorted.push_back(&member);
        std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) { return a->key < b->key; });
        for (const Member* member : sorted) each(*member);
    });
    return out;
}

}  // namespace gateway::json
