#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/base/log.hpp"
#include "libgateway/base/strings.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/gzip/deflater.hpp"

namespace gateway::plugins {
namespace {

using http::FieldName;

struct Buffers {
    std::uint32_t number = 32, size = 4096;
    static constexpr auto schema =
        config::fields(config::field("number", &Buffers::number, "accepted, means nothing here", config::at_least(1)),
                       config::field("size", &Buffers::size, "accepted, means nothing here", config::at_least(1)));
};

// One element of Accept-Encoding: gzip, and not with a weight of 0.
bool is_gzip(std::string_view element) noexcept {
    const std::size_t semicolon = element.find(';');
    if (!iequals(trim(element.substr(0, semicolon)), "gzip")) return false;
    if (semicolon == std::string_view::npos) return true;
    std::string_view weight = trim(element.substr(semicolon + 1));
    if (weight.size() < 2 || to_lower(weight.front()) != 'q') return true;
    weight = trim(weight.substr(1));
    if (!weight.starts_with('=')) return true;
    return trim(weight.substr(1)).find_first_of("123456789") != std::string_view::npos;
}

bool accepts_gzip(const http::Fields& fields) noexcept {
    bool accepted = false;
    for (const http::Field& field : fields) {
        if (field.id != FieldName::accept_encoding) continue;
        for_each_item(field.value, ',', [&](std::string_view element) { accepted = accepted || is_gzip(element); });
    }
    return accepted;
}

class Gzip final : public Plugin {
public:
    struct Settings {
        json::Value types = json::Value::array({"text/html"});
        std::uint64_t min_length = 20;
        int comp_level = 1;
        double http_version = 1.1;
        Buffers buffers;
        std::optional<bool> vary;
    };
    static constexpr std::string_view name = "gzip";
    static constexpr int priority = 995;
    // A body that is announced as gzip must not go out as something else.
    static constexpr OnError on_error = OnError::closed;
    static constexpr auto schema =
        config::fields(config::field("types", &Settings::types, "types of content to compress, or `*`"),
                       config::field("min_length", &Settings::min_length, "least bytes of a body whose length is known",
                                     config::at_least(1)),
                       config::field("comp_level", &Settings::comp_level, "1: fast … 9: small", config::range(1, 9)),
                       config::field("http_version", &Settings::http_version, "least version of a request: 1.0 or 1.1"),
                       config::field("buffers", &Settings::buffers, "accepted, means nothing here"),
                       config::field("vary", &Settings::vary, "add `Vary: Accept-Encoding`"));

    static void check(const Settings& settings, config::Errors& errors) {
        const json::Value& types = settings.types;
        const bool list = types.is_array() && types.size() > 0 &&
                          std::all_of(types.items().begin(), types.items().end(),
                                      [](const json::Value& type) { return type.is_string() && type.size() > 0; });
        if (!list && types.string() != "*") {
            const config::Errors::Scope scope(errors, config::Errors::Level::property, "types", types);
            errors.add("object matches none of the required");
        }
        if (settings.http_version != 1.1 && settings.http_version != 1.0) {
            const json::Value version(settings.http_version);
            const config::Errors::Scope scope(errors, config::Errors::Level::property, "http_version", version);
            errors.add("matches none of the enum values");
        }
    }

    Gzip(Settings settings, BuildScope&)
        : min_length_(settings.min_length),
          least_version_(settings.http_version == 1.0 ? 10 : 11),
          vary_(settings.vary.value_or(false)),
          pool_(settings.comp_level) {
        for (const json::Value& type : settings.types.items()) types_.push_back(type.string());
    }

    Step header_filter(Exchange& exchange) const override {
        http::Fields& fields = exchange.response.fields;
        if (!may_compress(exchange)) return Verdict::next;
        if (vary_ && !fields.add(FieldName::vary, "Accept-Encoding")) log::error("no room for the fields of gzip");
        if (!accepts_gzip(exchange.request.fields) || has_no_body(exchange)) return Verdict::next;
        State& state = exchange.slot<State>(*this);
        state.streamed = !length_of(exchange).has_value();
        state.deflater = pool_.take();
        if (!state.deflater) {
            log::error("gzip has no memory for a compressor");
            return Verdict::next;
        }
        exchange.recode_body("gzip");
        return Verdict::next;
    }

    // After all filters of bodies: what they see is plain.
    Step delayed_body_filter(Exchange& exchange, BodyChunk& chunk) const override {
        State& state = exchange.slot<State>(*this);
        if (!state.deflater) return Verdict::next;
        if (chunk.bytes.empty() && !chunk.last) return Verdict::next;
        // A stream's piece is an event that somebody waits for.
        const auto flush = chunk.last       ? Deflater::Flush::finish
                           : state.streamed ? Deflater::Flush::sync
                                            : Deflater::Flush::none;
        if (!state.deflater->push(chunk.bytes, flush, chunk.scratch, chunk.bytes)) {
            log::error("gzip: the compressor failed");
            return Verdict::fail;
        }
        if (chunk.last) give_back(state);
        return Verdict::next;
    }

    Step log(Exchange& exchange) const override {
        give_back(exchange.slot<State>(*this));
        return Verdict::next;
    }

private:
    struct State {
        Deflater* deflater;
        bool streamed;
    };

    void give_back(State& state) const noexcept {
        if (state.deflater) pool_.give(std::exchange(state.deflater, nullptr));
    }

    static bool has_no_body(const Exchange& exchange) noexcept {
        return exchange.request.method == http::Verb::head || exchange.upstream_method == http::Verb::head;
    }

    // Length of the body as it comes here, if it is known.
    static std::optional<std::uint64_t> length_of(const Exchange& exchange) noexcept {
        const http::ResponseHead& response = exchange.response;
        if (exchange.body_changes()) return std::nullopt;
        if (response.body.kind == http::BodyKind::length) return response.body.length;
        return parse_decimal<std::uint64_t>(response.fields.get(FieldName::content_length));
    }

    bool may_compress(const Exchange& exchange) const noexcept {
        const http::ResponseHead& response = exchange.response;
        if (response.status != 200 && response.status != 403 && response.status != 404) return false;
        if (exchange.recoded()) return false;
        if (exchange.request.version < least_version_ || response.fields.find(FieldName::content_encoding)) {
            return false;
        }
        const std::string_view content = response.fields.get(FieldName::content_type);
        const std::string_view type = trim(content.substr(0, content.find(';')));
        const bool listed = types_.empty() || std::any_of(types_.begin(), types_.end(), [type](const std::string& one) {
                                return iequals(one, type);
                            });
        return !type.empty() && listed && length_of(exchange).value_or(min_length_) >= min_length_;
    }

    std::vector<std::string> types_;  // empty: all
    std::uint64_t min_length_;
    std::uint8_t least_version_;
    bool vary_;
    mutable DeflaterPool pool_;
};
const Registration<Gzip> registration;

}  // namespace
}  // namespace gateway::plugins
