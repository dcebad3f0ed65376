// What every plugin is: an immutable instance per place where it is configured, with one hook per phase that it has.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include "libgateway/plugin/exchange.hpp"
#include "libgateway/plugin/step.hpp"

namespace gateway {

namespace upstream {
class Endpoint;
}

// What an instance needs to see whole. 0: nothing; the body streams past.
struct BodyNeeds {
    // Most bytes of a request body read into memory before `rewrite`. A larger one is not (body_buffered stays false)
    // and streams past; it may also be larger than asked for where another plugin asks for more: the plugin looks.
    std::uint64_t request = 0;
    std::uint64_t response =
        0;  // most bytes of a response body collected into one chunk; larger: streams on, in pieces
    // Replaces `client_max_body_size` (0: no limit) where the plugin runs; nothing: it stays.
    std::optional<std::uint64_t> request_limit = {};
};

// What a throw or `fail` of a hook means: the request goes on without the plugin, or ends with 500 (security plugins).
enum class OnError : std::uint8_t { open, closed };

// Settings are immutable; per-request state lives in Exchange::slot. One thread. A hook that may wait returns a private
// Task function; its parameters must be references to things the exchange owns.
class Plugin {
public:
    virtual ~Plugin() = default;
    virtual Step rewrite(Exchange&) const { return Verdict::next; }
    virtual Step access(Exchange&) const { return Verdict::next; }
    // After every pick, retries included, before the request is written: must be idempotent.
    virtual Step before_proxy(Exchange&, const upstream::Endpoint&) const { return Verdict::next; }
    // Head of exchange.response is known and not sent. `respond` replaces the answer.
    virtual Step header_filter(Exchange&) const { return Verdict::next; }
    // Each piece of the body; chunk.last once. `respond` is too late and counts as fail: the answer is visibly cut off.
    virtual Step body_filter(Exchange&, BodyChunk&) const { return Verdict::next; }
    virtual Step delayed_body_filter(Exchange&, BodyChunk&) const { return Verdict::next; }
    // Always, even if the client left; the verdict is ignored.
    virtual Step log(Exchange&) const { return Verdict::next; }
    virtual BodyNeeds body_needs() const noexcept { return {}; }
    // Bits of phases whose hooks have nothing to do with these settings: they are left out of the lanes.
    virtual std::uint8_t idle_phases() const noexcept { return 0; }
};

// A phase belongs to a plugin if the plugin overrides its hook; nobody lists phases by hand.
template <auto Own, auto Base>
inline constexpr bool overrides = !std::same_as<decltype(Own), decltype(Base)>;

template <class P>
constexpr std::uint8_t phases_of() noexcept {
    const auto bit = [](Phase phase, bool has) { return static_cast<std::uint8_t>(has ? 1u << unsigned(phase) : 0u); };
    return static_cast<std::uint8_t>(
        bit(Phase::rewrite, overrides<&P::rewrite, &Plugin::rewrite>) |
        bit(Phase::access, overrides<&P::access, &Plugin::access>) |
        bit(Phase::before_proxy, overrides<&P::before_proxy, &Plugin::before_proxy>) |
        bit(Phase::header_filter, overrides<&P::header_filter, &Plugin::header_filter>) |
        bit(Phase::body_filter, overrides<&P::body_filter, &Plugin::body_filter>) |
        bit(Phase::delayed_body_filter, overrides<&P::delayed_body_filter, &Plugin::delayed_body_filter>) |
        bit(Phase::log, overrides<&P::log, &Plugin::log>));
}

template <Phase>
inline constexpr auto hook_of = nullptr;
template <>
inline constexpr auto hook_of<Phase::rewrite> = &Plugin::rewrite;
template <>
inline constexpr auto hook_of<Phase::access> = &Plugin::access;
template <>
inline constexpr auto hook_of<Phase::before_proxy> = &Plugin::before_proxy;
template <>
inline constexpr auto hook_of<Phase::header_filter> = &Plugin::header_filter;
template <>
inline constexpr auto hook_of<Phase::body_filter> = &Plugin::body_filter;
template <>
inline constexpr auto hook_of<Phase::delayed_body_filter> = &Plugin::delayed_body_filter;
template <>
inline constexpr auto hook_of<Phase::log> = &Plugin::log;

}  // namespace gateway
