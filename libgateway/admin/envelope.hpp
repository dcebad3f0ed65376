// The two forms of answers about objects: those of version 3 and those that 2.x clients read.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/resource.hpp"
#include "libgateway/store/object.hpp"

namespace gateway::admin {

enum class Version : std::uint8_t { v2, v3 };

// An object as it is shown: `value` is the JSON text.
struct Shown {
    std::string key, value;
    std::uint64_t created = 0, modified = 0;
};

class Envelope {
public:
    explicit Envelope(Version version) noexcept : version_(version) {}
    Version version() const noexcept { return version_; }

    Reply one(const Shown& object) const;
    // `total` counts those on other pages too.
    Reply list(std::string_view key, std::span<const Shown> objects, std::size_t total) const;
    // `action`: set, create, compareAndSwap.
    Reply written(unsigned status, const Shown& object, std::string_view action) const;
    Reply deleted(std::string_view key) const;
    // Tells the version in an answer that was not made here, a refusal.
    void mark(Reply& reply) const;

private:
    Reply reply(unsigned status, std::string text) const;
    Version version_;
};

}  // namespace gateway::admin
