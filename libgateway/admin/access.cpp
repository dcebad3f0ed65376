#include "libgateway/admin/access.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <optional>

#include "libgateway/base/strings.hpp"
#include "libgateway/expr/query.hpp"

namespace gateway::admin {

namespace {

using Hash = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Hash hash_of(std::string_view text) noexcept {
    Hash hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    return hash;
}

std::optional<std::string> shown_key(const Request& request, const Target& target) {
    if (const std::string* key = target.parameter("api_key")) return *key;
    for (const std::string_view name : {"X-API-KEY", "x_api_key"}) {
        if (const std::string* key = request.field(name)) return *key;
    }
    std::string_view key;
    for (const auto& [name, value] : request.fields) {
        if (iequals(name, "cookie") && expr::find_cookie(value, "x_api_key", key)) return std::string(key);
    }
    return std::nullopt;
}

}  // namespace

Access::Access(Rules rules) : rules_(std::move(rules)) {
    std::vector<expr::Cidr> list;
    for (const std::string& text : rules_.networks) {
        if (const auto network = expr::parse_cidr(text)) list.push_back(*network);
    }
    networks_ = expr::CidrSet(list);
}

bool Access::admits(std::string_view peer) const noexcept {
    if (rules_.networks.empty()) return true;
    const auto address = expr::parse_address(peer);
    return address && networks_.contains(*address);
}

Access::Verdict Access::check(const Request& request, const Target& target) const {
    if (!rules_.key_required) return {"anyone", ""};
    const auto shown = shown_key(request, target);
    if (!shown) return {"", "missing apikey"};
    const Hash hash = hash_of(*shown);
    const Key* found = nullptr;
    for (const Key& key : rules_.keys) {
        const bool same = CRYPTO_memcmp(hash_of(key.key).data(), hash.data(), hash.size()) == 0;
        if (same && !key.key.empty()) found = &key;
    }
    if (!found) return {"", "wrong apikey"};
    if (found->role == Role::viewer && request.method != "GET")
        return {found->name, "invalid method for role viewer", found->role};
    return {found->name, "", found->role};
}

}  // namespace gateway::admin
