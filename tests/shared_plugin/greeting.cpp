// greeting: says hello in a field of every answer, or instead of every answer.
#include "libgateway/plugin/shared_object.hpp"

namespace {

using namespace gateway;

class Greeting final : public Plugin {
public:
    struct Settings {
        std::string who = "stranger";
        bool only = false;
    };
    static constexpr std::string_view name = "greeting";
    static constexpr int priority = 50;  // higher runs first; no other plugin may have it
    static constexpr auto schema =
        config::fields(config::field("who", &Settings::who, "whom to greet", config::length(1, 64)),
                       config::field("only", &Settings::only, "the greeting is the whole answer"))
            .closed_plugin();

    Greeting(Settings settings, BuildScope&) : only_(settings.only), text_("hello, " + settings.who) {}

    Step access(Exchange& exchange) const override {
        if (!only_) return Verdict::next;
        return exchange.respond_with({200, LocalReply::Body::bytes, text_});
    }
    Step header_filter(Exchange& exchange) const override {
        exchange.response.fields.set("X-Greeting", text_);
        return Verdict::next;
    }

private:
    bool only_;
    std::string text_;
};

}  // namespace

GATEWAY_SHARED_PLUGINS(Greeting);
