#include "libplugins/common/doorkeeper.hpp"

#include <algorithm>

#include "libgateway/base/log.hpp"

namespace gateway::plugins {

namespace {

constexpr std::string_view invalid_user = R"({"message":"Invalid user authorization"})";

}  // namespace

bool is_realm(std::string_view text) noexcept {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
}

Doorkeeper::Doorkeeper(std::string_view scheme, std::string_view realm, const std::optional<std::string>& anonymous)
    : challenge_(std::string(scheme).append(" realm=\"").append(realm).append("\"")),
      anonymous_(anonymous.value_or("")) {}

Verdict Doorkeeper::refuse(Exchange& exchange, std::string_view body, std::string_view reason) const {
    exchange.auth_failure = reason.empty() ? body : reason;
    if (!reason.empty()) log::warn("{}, client: {}", reason, exchange.client_text);
    if (!anonymous_.empty()) {
        if (const Ref<const Consumer> consumer = exchange.consumers().find_consumer(anonymous_)) {
            exchange.attach(consumer, {});
            return Verdict::next;
        }
        log::error("failed to get anonymous consumer {}", anonymous_);
        body = invalid_user;
    }
    exchange.response.fields.set(http::FieldName::www_authenticate, challenge_);
    return exchange.respond_with({401, LocalReply::Body::json, body});
}

}  // namespace gateway::plugins
