// What an auth plugin says about itself and how it finds who asks.
//
// An auth plugin declares, beside what every plugin has:
//
//   static constexpr bool is_auth = true;
//   struct Credential {                                        // what stands on a consumer or in a credential object
//       std::string key, secret;
//       static constexpr auto schema = config::fields(config::field("key", &Credential::key, "…", config::required),
//       …); static void check(const Credential&, config::Errors&); // optional: rules beyond the schema, in control
//   };
//   static constexpr std::string_view credential_key = "key";  // the member by which a credential is found
//   static void prepare(Credential& credential);               // optional, in workers: parse keys once; throws
//                                                              // config::Error, then the consumer is left out
// and in its rewrite:
//
//   const auto login = find_login<JwtAuth>(exchange, key);     // a hash, no allocation
//   if (!login) …
//   verify(login->secret);                                     // a Credential, secrets resolved
//   login.attach(exchange);
#pragma once

#include <utility>

#include "libgateway/plugin/consumer.hpp"
#include "libgateway/plugin/exchange.hpp"

namespace gateway {

template <class P>
struct CredentialOf final : CredentialSettings {
    typename P::Credential value;
};

// The next free slot; slots are given in the order in which plugins ask, once per process.
std::uint8_t next_auth_slot() noexcept;

// Where credentials of the auth plugin P are kept.
template <class P>
std::uint8_t auth_slot() noexcept {
    static const std::uint8_t slot = next_auth_slot();
    return slot;
}

// A credential of P that was found. Empty if there is none, or none that can be used.
template <class P>
class Found {
public:
    Found() noexcept = default;
    Found(Login login, const typename P::Credential& settings) noexcept
        : login_(std::move(login)), settings_(&settings) {}

    explicit operator bool() const noexcept { return settings_ != nullptr; }
    const typename P::Credential* operator->() const noexcept { return settings_; }
    const Consumer& consumer() const noexcept { return *login_.consumer; }
    // From now on the request is this consumer's.
    void attach(Exchange& exchange) const { exchange.attach(login_.consumer, login_.credential->id()); }

private:
    Login login_;
    const typename P::Credential* settings_ = nullptr;
};

template <class P>
Found<P> find_login(const Exchange& exchange, std::string_view key) noexcept {
    Login login = exchange.consumers().find_login(auth_slot<P>(), key);
    const CredentialSettings* settings = login ? login.credential->settings() : nullptr;
    if (!settings) return {};
    return Found<P>(std::move(login), static_cast<const CredentialOf<P>*>(settings)->value);
}

}  // namespace gateway
