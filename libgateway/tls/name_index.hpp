// Which identity a client is shown for the name that it asks for.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/route/persistent_map.hpp"
#include "libgateway/tls/identity.hpp"

namespace gateway::tls {

// A name as it is compared: lower case, without one dot at its end. Text of the caller's, or nothing if it is no name
// that anything can match (empty, longer than a name can be).
class NameText {
public:
    explicit NameText(std::string_view written) noexcept;
    std::string_view view() const noexcept { return {text_.data() + room, size_}; }
    // "*" and what follows the first `at` bytes.
    std::string_view star(std::size_t at) noexcept;

private:
    static constexpr std::size_t room = 1, longest = 255;
    std::array<char, room + longest> text_;
    std::size_t size_ = 0;
};

// A value: copies share everything; one thread. A change costs as much as it has names.
class NameIndex {
public:
    void add(const Ref<const Identity>& identity);
    void remove(const Identity& identity);
    std::size_t size() const noexcept { return names_.size(); }

    // The exact name, else the longest "*.rest" for one label, else "*"; null if nothing has it. Of several identities
    // with one name the oldest counts, whether it is usable or not: nobody is shown a less specific certificate because
    // the right one is broken.
    const Identity* find(std::string_view name) const noexcept;
    // Those that have this very name (as configured), oldest first.
    std::vector<const Identity*> claims(std::string_view name) const;

private:
    struct Claims : RefCounted {
        std::string name;
        std::vector<Ref<const Identity>> by_age;
        std::string_view key() const noexcept { return name; }
    };
    static bool is_partial(std::string_view name) noexcept;
    const Identity* lookup(std::string_view name) const noexcept;

    PersistentMap<Claims> names_;
    std::size_t partial_ = 0;  // names as "*foo.com", whose star is a part of a label
};

}  // namespace gateway::tls
