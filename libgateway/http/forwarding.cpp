#include "libgateway/http/forwarding.hpp"

#include <array>
#include <cstring>

namespace gateway::http {

namespace {

constexpr std::string_view real_ip = "X-Real-IP";
enum Which : std::size_t { x_for, x_proto, x_host, x_port, forwarded, which_count };
constexpr std::array<std::string_view, which_count> names{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
                                                          "X-Forwarded-Port", "Forwarded"};

// Which of the five it is; which_count if none. None of them but Forwarded is well known to the tokeniser.
std::size_t which(const Field& field) noexcept {
    if (field.id == FieldName::forwarded) return forwarded;
    if (field.id != FieldName::unknown || field.name.size() < 15 || field.name.size() > 17) return which_count;
    for (std::size_t i = x_for; i <= x_port; ++i) {
        if (iequals(field.name, names[i])) return i;
    }
    return which_count;
}

bool is_real_ip(const Field& field) noexcept {
    return field.id == FieldName::unknown && field.name.size() == real_ip.size() && iequals(field.name, real_ip);
}

bool is_hop_by_hop(FieldName id) noexcept {
    switch (id) {
        case FieldName::connection:
        case FieldName::keep_alive:
        case FieldName::proxy_connection:
        case FieldName::te:
        case FieldName::trailer:
        case FieldName::transfer_encoding:
        case FieldName::upgrade:
        case FieldName::http2_settings:
            return true;
        default:
            return false;
    }
}

bool is_protected(const Field& field) noexcept {
    return field.id == FieldName::host || field.id == FieldName::content_length || which(field) != which_count ||
           is_real_ip(field);
}

bool names_field(std::string_view option) noexcept {
    return !iequals(option, "close") && !iequals(option, "keep-alive") && !iequals(option, "upgrade");
}

// True if a Connection value names more than the options every hop knows.
bool nominates(std::string_view value) noexcept {
    if (value == "keep-alive" || value == "close") return false;
    bool any = false;
    for_each_item(value, ',', [&any](std::string_view option) { any |= names_field(option); });
    return any;
}

void drop_nominated(Fields& fields, std::string_view list) noexcept {
    for_each_item(list, ',', [&fields](std::string_view option) {
        if (!names_field(option)) return;
        fields.retain([option](const Field& field) { return !iequals(field.name, option) || is_protected(field); });
    });
}

struct Seen {
    std::array<std::string_view, which_count> value;
    std::array<bool, which_count> present{};
};

// Lines of one name are one list (RFC 9110, 5.3).
void note(Seen& seen, std::size_t index, std::string_view value, Arena& arena) {
    seen.value[index] = seen.present[index] ? arena.join(seen.value[index], ", ", value) : value;
    seen.present[index] = true;
}

Seen take_out(Fields& fields, bool keep_client, Arena& arena) {
    Seen seen;
    fields.retain([&](const Field& field) {
        const std::size_t index = which(field);
        if (index == which_count) return !is_real_ip(field);
        note(seen, index, field.value, arena);
        return keep_client && index != x_for;
    });
    return seen;
}

}  // namespace

void strip_hop_by_hop(Fields& fields) noexcept {
    bool any = false;
    for (Field* field = fields.begin(); field != fields.end(); ++field) {
        any = any || is_hop_by_hop(field->id);
        if (field->id != FieldName::connection || !nominates(field->value)) continue;
        // The value is a view of the buffer, so it outlives its field; the field itself goes with the others below.
        const std::string_view list = field->value;
        field->id = FieldName::keep_alive;
        drop_nominated(fields, list);
        field = fields.begin();
    }
    if (any) fields.retain([](const Field& field) { return !is_hop_by_hop(field.id); });
}

bool may_be_trailer(std::string_view name) noexcept {
    const FieldName id = field_name(name);
    switch (id) {
        case FieldName::host:
        case FieldName::content_length:
        case FieldName::content_encoding:
        case FieldName::content_type:
        case FieldName::content_range:
        case FieldName::authorization:
        case FieldName::cookie:
        case FieldName::set_cookie:
        case FieldName::expect:
        case FieldName::proxy_authorization:
        case FieldName::range:
        case FieldName::cache_control:
        case FieldName::location:
            return false;
        default:
            return !is_hop_by_hop(id) && !is_protected({name, {}, id});
    }
}

OriginalForwarded set_forwarded(Fields& fields, const Trust& trust, const ForwardedFacts& facts, Arena& arena) {
    const bool keep_client = trust.configured && trust.peer_inside;
    const bool reset_for = trust.configured && !trust.peer_inside;
    const Seen seen = take_out(fields, keep_client, arena);
    const bool append = !reset_for && !seen.value[x_for].empty();
    fields.add(real_ip, facts.client_address, FieldName::unknown);
    fields.add(names[x_for], append ? arena.join(seen.value[x_for], ", ", facts.peer_address) : facts.peer_address,
               FieldName::unknown);
    const std::array<std::string_view, which_count> own{std::string_view(), facts.scheme, facts.host, facts.port,
                                                        std::string_view()};
    for (std::size_t i = x_proto; i <= x_port; ++i) {
        if (!keep_client || !seen.present[i]) fields.add(names[i], own[i], FieldName::unknown);
    }
    return {seen.value[x_for], seen.value[x_proto], seen.value[x_host], seen.value[x_port], seen.value[forwarded]};
}

}  // namespace gateway::http
