// A plugin made of parts for the tests of this room: what each hook does is written in its instance.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/fake_exchange.hpp"
#include "tests/support/log_lines.hpp"

namespace gateway::test {

// What a hook is to do.
enum class Act { next, respond, fail, fail_with_error, throw_it, throw_number, wait, wait_respond, wait_throw };

class Probe : public Plugin {
public:
    using Script = std::map<Phase, Act>;
    Probe(std::string label, std::vector<std::string>& story, Script script = {}, BodyNeeds needs = {})
        : label_(std::move(label)), story_(story), script_(std::move(script)), needs_(needs) {}

    Step rewrite(Exchange& exchange) const override { return act(Phase::rewrite, exchange); }
    Step access(Exchange& exchange) const override { return act(Phase::access, exchange); }
    Step before_proxy(Exchange& exchange, const upstream::Endpoint&) const override {
        return act(Phase::before_proxy, exchange);
    }
    Step header_filter(Exchange& exchange) const override { return act(Phase::header_filter, exchange); }
    Step body_filter(Exchange& exchange, BodyChunk&) const override { return act(Phase::body_filter, exchange); }
    Step delayed_body_filter(Exchange& exchange, BodyChunk&) const override {
        return act(Phase::delayed_body_filter, exchange);
    }
    Step log(Exchange& exchange) const override { return act(Phase::log, exchange); }
    BodyNeeds body_needs() const noexcept override { return needs_; }

private:
    Step act(Phase phase, Exchange& exchange) const {
        story_.push_back(label_ + "#" + std::string(name_of(phase)));
        const auto found = script_.find(phase);
        switch (found == script_.end() ? Act::next : found->second) {
            case Act::next:
                return Verdict::next;
            case Act::respond:
                return exchange.respond_with({403, LocalReply::Body::bytes, "no"});
            case Act::fail:
                return Verdict::fail;
            case Act::fail_with_error:
                return exchange.fail_with({make_error_code(boost::system::errc::io_error)});
            case Act::throw_number:
                throw 7;
            case Act::throw_it:
                throw std::runtime_error("thrown by " + label_);
            case Act::wait:
                return waiting(exchange, Verdict::next, false);
            case Act::wait_respond:
                return waiting(exchange, Verdict::respond, false);
            case Act::wait_throw:
                return waiting(exchange, Verdict::next, true);
        }
        return Verdict::next;
    }
    Task<Verdict> waiting(Exchange& exchange, Verdict verdict, bool then_throw) const {
        Task<void> sleep = exchange.services().sleep(Milliseconds(30));
        co_await sleep;
        story_.push_back(label_ + " woke");
        if (then_throw) throw std::runtime_error("thrown late by " + label_);
        if (verdict == Verdict::respond) co_return exchange.respond_with({403, LocalReply::Body::bytes, "late no"});
        co_return verdict;
    }

    std::string label_;
    std::vector<std::string>& story_;
    Script script_;
    BodyNeeds needs_;
};

// Every phase of a probe.
inline constexpr std::uint8_t all_phases = phases_of<Probe>();

struct ProbeSettings {
    int priority = 0;
    OnError on_error = OnError::open;
    std::uint8_t phases = all_phases;
    bool prefer_route = false;
    std::string meta = "{}";
    Probe::Script script{};
    BodyNeeds needs{};
};

inline Ref<const Instance> probe(std::string_view name, std::vector<std::string>& story, ProbeSettings settings = {}) {
    auto made = std::make_unique<Instance>();
    made->plugin = std::make_unique<Probe>(std::string(name), story, std::move(settings.script), settings.needs);
    made->name = name;
    made->priority = settings.priority;
    made->phases = settings.phases;
    made->on_error = settings.on_error;
    made->prefer_route = settings.prefer_route;
    made->meta = compile_meta(json::Value::object({{"_meta", json::parse(settings.meta)}}));
    return Ref<const Instance>(made.release());
}

constexpr std::uint8_t only(Phase phase) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(phase));
}

}  // namespace gateway::test
