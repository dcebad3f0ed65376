#include "libgateway/plugin/consumer.hpp"

#include <exception>

#include "libgateway/base/log.hpp"
#include "libgateway/plugin/rewrite_phase.hpp"

namespace gateway {

namespace {

class Nobody final : public ConsumerDirectory {
public:
    Login find_login(std::uint8_t, std::string_view) const noexcept override { return {}; }
    Ref<const Consumer> find_consumer(std::string_view) const noexcept override { return {}; }
    bool has_logins(std::uint8_t) const noexcept override { return false; }
    Merged merge(const Ref<const Chain>& route, const Consumer&) const noexcept override {
        return {Merged::Outcome::ok, route};
    }
};

}  // namespace

const ConsumerDirectory& ConsumerDirectory::none() noexcept {
    static const Nobody nobody;
    return nobody;
}

const CredentialSettings* Credential::settings() const noexcept {
    if (built_) return settings_.get();
    built_ = true;
    try {
        settings_ = build_(json_);
        std::string().swap(json_);
    } catch (const std::exception& problem) {
        log::error("a credential of {} cannot be used, its consumer is left out: {}", plugin_, problem.what());
    }
    return settings_.get();
}

}  // namespace gateway
