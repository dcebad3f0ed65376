#include "libgateway/tls/name_index.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::tls {

NameText::NameText(std::string_view written) noexcept {
    if (written.ends_with('.')) written.remove_suffix(1);
    if (written.size() > longest) return;
    for (const char c : written) text_[room + size_++] = to_lower(c);
}

std::string_view NameText::star(std::size_t at) noexcept {
    char* const begin = text_.data() + room + at - 1;
    *begin = '*';
    return {begin, size_ - at + 1};
}

bool NameIndex::is_partial(std::string_view name) noexcept {
    return name.size() > 1 && name[0] == '*' && name[1] != '.';
}

void NameIndex::add(const Ref<const Identity>& identity) {
    for (const std::string& written : identity->names()) {
        const NameText name(written);
        if (name.view().empty()) continue;
        const Claims* const present = names_.find(name.view());
        const Ref<Claims> claims = present ? make_ref<Claims>(*present) : make_ref<Claims>();
        if (!present && is_partial(name.view())) ++partial_;
        claims->name = name.view();
        const auto after =
            std::find_if(claims->by_age.begin(), claims->by_age.end(), [&identity](const Ref<const Identity>& other) {
                return other->order() > identity->order() || other == identity;
            });
        if (after != claims->by_age.end() && *after == identity) continue;  // the same name twice
        claims->by_age.insert(after, identity);
        names_.set(claims);
    }
}

void NameIndex::remove(const Identity& identity) {
    for (const std::string& written : identity.names()) {
        const NameText name(written);
        const Claims* const present = name.view().empty() ? nullptr : names_.find(name.view());
        if (!present) continue;
        const Ref<Claims> claims = make_ref<Claims>(*present);
        std::erase_if(claims->by_age, [&identity](const Ref<const Identity>& one) { return one.get() == &identity; });
        if (!claims->by_age.empty()) {
            names_.set(claims);
            continue;
        }
        if (is_partial(name.view())) --partial_;
        names_.erase(name.view());
    }
}

const Identity* NameIndex::lookup(std::string_view name) const noexcept {
    const Claims* const claims = names_.find(name);
    return claims ? claims->by_age.front().get() : nullptr;
}

const Identity* NameIndex::find(std::string_view name) const noexcept {
    NameText text(name);
    const std::string_view whole = text.view();
    // A star in a name is no star of a pattern.
    if (whole.empty() || whole.find('*') != whole.npos) return nullptr;
    if (const Identity* const exact = lookup(whole)) return exact;
    const std::size_t dot = whole.find('.');
    if (partial_ > 0) {
        for (std::size_t at = 1; at < std::min(dot, whole.size()); ++at) {
            if (const Identity* const found = lookup(text.star(at))) return found;
        }
    }
    if (dot != whole.npos && dot > 0) {
        if (const Identity* const found = lookup(text.star(dot))) return found;
    }
    return lookup("*");
}

std::vector<const Identity*> NameIndex::claims(std::string_view name) const {
    std::vector<const Identity*> all;
    if (const Claims* const claims = names_.find(NameText(name).view())) {
        for (const Ref<const Identity>& one : claims->by_age) all.push_back(one.get());
    }
    return all;
}

}  // namespace gateway::tls
