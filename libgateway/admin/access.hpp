// Who may use the Admin API: addresses, keys and roles.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/target.hpp"
#include "libgateway/expr/cidr.hpp"

namespace gateway::admin {

enum class Role : std::uint8_t { admin, viewer };

struct Key {
    std::string name, key;
    Role role = Role::admin;
};

// Immutable; made anew when the settings change.
class Access {
public:
    struct Rules {
        std::vector<std::string> networks;  // none: everyone
        std::vector<Key> keys;
        bool key_required = true;
    };
    // Networks that cannot be read let nobody in.
    explicit Access(Rules rules);

    bool admits(std::string_view peer) const noexcept;

    struct Verdict {
        std::string name;     // of the key, for the history
        std::string refusal;  // the description of a 401; empty: go on
        Role role = Role::admin;
    };
    // The key is taken from the parameter `api_key`, else from the header `X-API-KEY`, else from the cookie
    // `x_api_key`. How long this takes tells nothing about the keys.
    Verdict check(const Request& request, const Target& target) const;

private:
    Rules rules_;
    expr::CidrSet networks_;
};

}  // namespace gateway::admin
