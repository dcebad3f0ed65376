#include "libgateway/http/fields.hpp"

#include <boost/beast/http/field.hpp>

namespace gateway::http {

namespace {

std::string_view text_of(FieldName id) noexcept {
    const auto text = boost::beast::http::to_string(id);
    return {text.data(), text.size()};
}

// Compares numbers where both names are well known, text otherwise.
struct NameTest {
    NameTest(std::string_view text, FieldName number) noexcept : name(text), id(number) {}
    bool operator()(const Field& field) const noexcept {
        if (field.id != id) return false;
        return id != FieldName::unknown || field.name == name || iequals(field.name, name);
    }
    std::string_view name;
    FieldName id;
};

// Removes the fields hit; `spare` of them, the first ones, stay.
std::size_t drop(Fields& fields, const NameTest& hit, std::size_t spare) noexcept {
    const std::size_t before = fields.size();
    fields.retain([&](const Field& field) {
        if (!hit(field)) return true;
        if (spare == 0) return false;
        --spare;
        return true;
    });
    return before - fields.size();
}

const Field* find_if(const Fields& fields, const NameTest& hit) noexcept {
    for (const Field& field : fields) {
        if (hit(field)) return &field;
    }
    return nullptr;
}

}  // namespace

bool Fields::add(FieldName id, std::string_view value) noexcept {
    return add(text_of(id), value, id);
}

bool Fields::set(std::string_view name, std::string_view value) noexcept {
    return set(name, value, field_name(name));
}

bool Fields::set(std::string_view name, std::string_view value, FieldName id) noexcept {
    if (id == FieldName::unknown && !may_hold(name)) return add(name, value, id);
    const NameTest hit(name, id);
    for (Field& field : *this) {
        if (!hit(field)) continue;
        field.value = value;
        drop(*this, hit, 1);
        return true;
    }
    return add(name, value, hit.id);
}

bool Fields::set(FieldName id, std::string_view value) noexcept {
    for (Field& field : *this) {
        if (field.id != id) continue;
        field.value = value;
        drop(*this, NameTest(field.name, id), 1);
        return true;
    }
    return add(id, value);
}

std::size_t Fields::remove(std::string_view name) noexcept {
    return remove(name, field_name(name));
}

std::size_t Fields::remove(std::string_view name, FieldName id) noexcept {
    return id == FieldName::unknown && !may_hold(name) ? 0 : drop(*this, NameTest(name, id), 0);
}

std::size_t Fields::remove(FieldName id) noexcept {
    return drop(*this, NameTest(std::string_view(), id), 0);
}

const Field* Fields::find(std::string_view name) const noexcept {
    return find(name, field_name(name));
}

const Field* Fields::find(std::string_view name, FieldName id) const noexcept {
    return id == FieldName::unknown && !may_hold(name) ? nullptr : find_if(*this, NameTest(name, id));
}

std::size_t Fields::count(FieldName id) const noexcept {
    std::size_t found = 0;
    for (const Field& field : *this) found += field.id == id ? 1 : 0;
    return found;
}

}  // namespace gateway::http
