#include <array>
#include <string>

#include "libgateway/base/log.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/header_rules.hpp"
#include "libplugins/request_id/make_id.hpp"

namespace gateway::plugins {

enum class IdAlgorithm : unsigned char { uuid, nanoid, range_id, ksuid, uuidv7 };

constexpr auto enum_names(IdAlgorithm) {
    return std::array{std::pair{std::string_view("uuid"), IdAlgorithm::uuid},
                      std::pair{std::string_view("nanoid"), IdAlgorithm::nanoid},
                      std::pair{std::string_view("range_id"), IdAlgorithm::range_id},
                      std::pair{std::string_view("ksuid"), IdAlgorithm::ksuid},
                      std::pair{std::string_view("uuidv7"), IdAlgorithm::uuidv7}};
}

namespace {

struct RangeId {
    std::uint16_t length = 16;
    // With two G and no J, as in the reference: ids made by both look alike.
    std::string char_set = "abcdefghijklmnopqrstuvwxyzABCDEFGHIGKLMNOPQRSTUVWXYZ0123456789";
    static constexpr auto schema = config::fields(
        config::field("length", &RangeId::length, "characters of an id", config::range(6, 1024)),
        config::field("char_set", &RangeId::char_set, "characters to draw from", config::length(6, 4096)));
};

class RequestId final : public Plugin {
public:
    struct Settings {
        std::string header_name = "X-Request-Id";
        bool include_in_response = true;
        IdAlgorithm algorithm = IdAlgorithm::uuid;
        RangeId range_id;
    };
    static constexpr std::string_view name = "request-id";
    static constexpr int priority = 12015;
    static constexpr bool before_auth = true;
    static constexpr auto schema =
        config::fields(config::field("header_name", &Settings::header_name, "field that carries the id"),
                       config::field("include_in_response", &Settings::include_in_response, "also tell the client"),
                       config::field("algorithm", &Settings::algorithm, "how an id is made when the client sends none"),
                       config::field("range_id", &Settings::range_id, "settings of the algorithm range_id"));

    static void check(const Settings& settings, config::Errors& errors) {
        if (!is_field_name(settings.header_name)) errors.add("invalid field character in header");
    }

    RequestId(Settings settings, BuildScope&)
        : settings_(std::move(settings)), variable_(expr::VariableNames::add("apisix_request_id")) {}

    Step rewrite(Exchange& exchange) const override {
        std::string_view& id = exchange.slot<std::string_view>(*this);
        id = exchange.request.fields.get(settings_.header_name);
        if (id.empty()) {
            id = make(exchange);
            if (!exchange.request.fields.set(settings_.header_name, id))
                log::error("no room for the field of request-id");
        }
        exchange.set_custom(variable_, id);
        return Verdict::next;
    }

    Step header_filter(Exchange& exchange) const override {
        const std::string_view id = exchange.slot<std::string_view>(*this);
        if (!settings_.include_in_response || id.empty()) return Verdict::next;
        if (exchange.response.fields.get(settings_.header_name).empty()) {
            exchange.response.fields.set(settings_.header_name, id);
        }
        return Verdict::next;
    }

private:
    std::string_view make(Exchange& exchange) const {
        Services& services = exchange.services();
        Arena& arena = exchange.arena();
        switch (settings_.algorithm) {
            case IdAlgorithm::nanoid:
                return make_nanoid(services, arena);
            case IdAlgorithm::range_id:
                return make_range_id(services, settings_.range_id.char_set, settings_.range_id.length, arena);
            case IdAlgorithm::ksuid:
                return make_ksuid(services, arena);
            case IdAlgorithm::uuidv7:
                return make_uuidv7(services, arena);
            case IdAlgorithm::uuid:
                break;
        }
        return make_uuid(services, arena);
    }

    Settings settings_;
    std::uint16_t variable_;
};
// The name must be known before the first expression is compiled, also where no route has the plugin.
const auto variable = expr::VariableNames::add("apisix_request_id");
const Registration<RequestId> registration;

}  // namespace
}  // namespace gateway::plugins
