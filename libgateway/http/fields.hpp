// Header fields of one message: a fixed table of views, in wire order. No copy, no allocation.
#pragma once

#include <array>
#include <boost/beast/http/field.hpp>
#include <cstdint>
#include <ostream>
#include <span>
#include <string_view>

#include "libgateway/base/strings.hpp"

namespace gateway::http {

// Well-known names are compared by number; FieldName::unknown falls back to the text.
using FieldName = boost::beast::http::field;
// Case-insensitive; FieldName::unknown if the name is not a well-known one.
FieldName field_name(std::string_view name) noexcept;

struct Field {
    std::string_view name, value;
    FieldName id = FieldName::unknown;
};

// Views point into a pinned read buffer, into the exchange's arena or at static text; the table owns no bytes.
class Fields {
public:
    static constexpr std::size_t capacity =
        128;  // config limit `header_count` (100) plus room for what the gateway adds

    std::size_t size() const noexcept { return count_; }
    bool empty() const noexcept { return count_ == 0; }
    const Field* begin() const noexcept { return table_.data(); }
    const Field* end() const noexcept { return table_.data() + count_; }
    Field* begin() noexcept { return table_.data(); }
    Field* end() noexcept { return table_.data() + count_; }
    void clear() noexcept { count_ = sizes_ = 0; }

    // False when the table is full; nothing is added then.
    bool add(std::string_view name, std::string_view value, FieldName id) noexcept {
        if (count_ == capacity) return false;
        table_[count_++] = Field{name, value, id};
        if (id == FieldName::unknown) sizes_ |= bit_of(name);
        return true;
    }
    // False: certainly no field of that name, which has no number, is here. Most look-ups of such names find nothing.
    bool may_hold(std::string_view name) const noexcept { return (sizes_ & bit_of(name)) != 0; }
    bool add(std::string_view name, std::string_view value) noexcept { return add(name, value, field_name(name)); }
    bool add(FieldName id, std::string_view value) noexcept;
    // Replaces the first field of that name, removes the others, appends if there is none. False when full.
    bool set(std::string_view name, std::string_view value) noexcept;
    bool set(FieldName id, std::string_view value) noexcept;
    // With the number of the name known: FieldName::unknown if it has none.
    bool set(std::string_view name, std::string_view value, FieldName id) noexcept;
    // How many were removed; the order of the rest is kept.
    std::size_t remove(std::string_view name) noexcept;
    std::size_t remove(FieldName id) noexcept;
    std::size_t remove(std::string_view name, FieldName id) noexcept;
    // Keeps the fields for which `keep(field)` is true, in order; one pass, `keep` sees each field once.
    template <class Keep>
    void retain(Keep&& keep) {
        std::size_t to = 0;
        for (std::size_t from = 0; from < count_; ++from) {
            if (!keep(table_[from])) continue;
            if (to != from) table_[to] = table_[from];
            ++to;
        }
        count_ = to;
    }

    // First field of that name, or null.
    const Field* find(std::string_view name) const noexcept;
    const Field* find(std::string_view name, FieldName id) const noexcept;
    const Field* find(FieldName id) const noexcept {
        for (const Field& field : *this) {
            if (field.id == id) return &field;
        }
        return nullptr;
    }
    // Value of the first field of that name; empty if there is none.
    std::string_view get(FieldName id) const noexcept {
        const Field* field = find(id);
        return field ? field->value : std::string_view();
    }
    std::string_view get(std::string_view name) const noexcept {
        const Field* field = find(name);
        return field ? field->value : std::string_view();
    }
    std::size_t count(FieldName id) const noexcept;

private:
    static std::uint64_t bit_of(std::string_view name) noexcept { return std::uint64_t{1} << (name.size() & 63); }

    std::size_t count_ = 0;
    std::uint64_t sizes_ = 0;  // of the names without a number that were added since clear()
    std::array<Field, capacity> table_;
};

}  // namespace gateway::http
