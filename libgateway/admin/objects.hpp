// What the Admin API needs of the configuration: to look at objects, and to change them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/delta.hpp"
#include "libgateway/keyring/keyring.hpp"
#include "libgateway/sources/check.hpp"
#include "libgateway/sources/reference_index.hpp"
#include "libgateway/store/object.hpp"

namespace gateway::admin {

// Objects of the store and of the route file together. One thread; implemented by control, and in memory by tests.
class Objects {
public:
    virtual ~Objects() = default;

    // Null if there is none.
    virtual store::StoredPtr find(config::Kind kind, std::string_view id) const = 0;
    // Every object of that kind by id, until `each` returns false. It changes nothing meanwhile.
    using Each = std::function<bool(const store::StoredPtr& object)>;
    virtual void each(config::Kind kind, const Each& each) const = 0;
    // Where the route file defines it ("routes.yaml:12"); empty if the file does not.
    virtual std::string defined_at(config::Kind kind, std::string_view id) const = 0;
    // The text of sources::CredentialIndex::conflict.
    virtual std::string credential_conflict(std::string_view id, const json::Value& object) const = 0;
    // The first by id of the objects of kind `user` that name that one; empty if there is none.
    virtual std::string user_of(config::Kind kind, std::string_view id, config::Kind user, sources::Use use) const = 0;
    // By which objects are checked now.
    virtual sources::CheckRules rules() const = 0;
    // Encrypts what is stored and opens it again; null: encrypted fields are not in use.
    virtual std::shared_ptr<const keyring::Keyring> keyring() const = 0;
    // The same for private keys of certificates, which are encrypted in any case.
    virtual std::shared_ptr<const keyring::Keyring> key_ring() const { return keyring(); }
    // Why nothing can be written now; empty: it can.
    virtual std::string closed() const { return {}; }
    // Number of the revision in force.
    virtual std::uint64_t revision() const = 0;
    // The newest known revision of the store behind it, of which ids are made; other gateways may share that store.
    virtual std::uint64_t store_revision() const { return revision(); }
    // All edits as one revision, or none, secrets encrypted; answers when it is on disk and every living worker has it.
    virtual boost::asio::awaitable<store::Written> write(std::vector<store::Edit> edits, store::Author author) = 0;
};

}  // namespace gateway::admin
