#include "libgateway/http/field_lines.hpp"

#include "libgateway/http/token.hpp"

namespace gateway::http {

namespace {

constexpr unsigned most_connection_options = 64;  // each is compared with each field later

void note_connection(std::string_view value, FieldNotes& notes) noexcept {
    if (value == "keep-alive") {
        ++notes.options;
        notes.keep_alive = true;
        return;
    }
    for_each_item(value, ',', [&notes](std::string_view item) {
        ++notes.options;
        notes.keep_alive |= iequals(item, "keep-alive");
        notes.close |= iequals(item, "close");
        notes.upgrade |= iequals(item, "upgrade");
    });
}

void note(const Field& field, FieldNotes& notes) noexcept {
    switch (field.id) {
        case FieldName::host:
            ++notes.hosts;
            break;
        case FieldName::connection:
            note_connection(field.value, notes);
            break;
        case FieldName::upgrade:
            notes.websocket = ++notes.upgrades == 1 && iequals(field.value, "websocket");
            break;
        case FieldName::expect: {
            const bool known = iequals(field.value, "100-continue");
            notes.expect_continue |= known;
            notes.expect_other |= !known;
            break;
        }
        default:
            break;
    }
}

// The reason why it is none, or nothing. A line is followed by its CR, which is no token character and no blank.
std::string_view split(std::string_view line, Field& field) noexcept {
    const char* const begin = line.data();
    const char* end = begin + line.size();
    const char* at = begin;
    while (is_token_char(*at)) ++at;
    if (at == begin) return *at == ' ' || *at == '\t' ? "folded field line" : "invalid field name";
    if (*at != ':') return "invalid field name";
    field.name = {begin, static_cast<std::size_t>(at - begin)};
    field.id = field_name(field.name);
    do ++at;
    while (*at == ' ' || *at == '\t');
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) --end;
    field.value = {at, static_cast<std::size_t>(end - at)};
    return {};
}

}  // namespace

Refusal read_field_lines(const HeadScan& scan, const HeadLimits& limits, Fields& fields, FieldNotes& notes) noexcept {
    if (scan.size() > limits.count + 1) return {431, "too many fields"};
    for (std::size_t i = 1; i < scan.size(); ++i) {
        const std::string_view line = scan.line(i);
        if (line.size() > limits.field) return {431, "field line too long"};
        Field field;
        if (const auto reason = split(line, field); !reason.empty()) return {400, reason};
        if (!fields.add(field.name, field.value, field.id)) return {431, "too many fields"};
        note(field, notes);
    }
    if (notes.options > most_connection_options) return {400, "too many connection options"};
    return {};
}

}  // namespace gateway::http
