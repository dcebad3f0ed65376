#include "libgateway/base/strings.hpp"
#include "libgateway/delivery/senders.hpp"
#include "libplugins/common/logger.hpp"

namespace gateway::plugins {
namespace {

thread_local delivery::OutboxCounts counts;

constexpr std::string_view uri_pattern = R"(^[^\/]+:\/\/([\da-zA-Z.-]+|\[[\da-fA-F:]+\])(:\d+)?)";

// Parts of a URI as far as a collector needs them. Views into the text.
struct Uri {
    std::string_view scheme, host, port, target;
};

bool is_name_char(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '.' || c == '-';
}
bool is_v6_char(char c) noexcept {
    return hex_value(c) >= 0 || c == ':';
}

template <class Is>
std::string_view take_while(std::string_view& text, Is is) noexcept {
    std::size_t size = 0;
    while (size < text.size() && is(text[size])) ++size;
    const std::string_view taken = text.substr(0, size);
    text.remove_prefix(size);
    return taken;
}

// What the pattern above matches at the beginning of a text; the rest is the target.
bool split(std::string_view text, Uri& uri) noexcept {
    const std::size_t mark = text.find("://");
    if (mark == std::string_view::npos || mark == 0 || text.substr(0, mark).find('/') != std::string_view::npos)
        return false;
    uri.scheme = text.substr(0, mark);
    text.remove_prefix(mark + 3);
    if (text.starts_with('[')) {
        text.remove_prefix(1);
        uri.host = take_while(text, is_v6_char);
        if (uri.host.empty() || !text.starts_with(']')) return false;
        text.remove_prefix(1);
    } else {
        uri.host = take_while(text, is_name_char);
        if (uri.host.empty()) return false;
    }
    if (text.size() > 1 && text[0] == ':' && is_digit(text[1])) {
        text.remove_prefix(1);
        uri.port = take_while(text, is_digit);
    }
    uri.target = text;
    return true;
}

bool is_uri(std::string_view text) noexcept {
    Uri uri;
    return split(text, uri);
}

bool is_target_char(char c) noexcept {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F;
}

class HttpLogger final : public BatchLogger {
public:
    struct Settings : BatchSettings {
        Settings() { name = "http logger"; }
        std::string uri, concat_method = "json";
        std::optional<std::string> auth_header;
        std::uint32_t timeout = 3;
        bool ssl_verify = false;
    };
    using Metadata = BatchMetadata;
    static constexpr std::string_view name = "http-logger";
    static constexpr int priority = 410;
    static constexpr auto schema = logger_schema<Settings>(
        config::field("uri", &Settings::uri, "where entries are posted to", config::required,
                      config::pattern(uri_pattern, is_uri)),
        config::field("auth_header", &Settings::auth_header, "value of Authorization", config::encrypted),
        config::field("timeout", &Settings::timeout, "seconds for each step", config::at_least(1)),
        config::field("concat_method", &Settings::concat_method,
                      "json: an array of the entries; new_line: one entry a line", config::one_of("json", "new_line")),
        config::field("ssl_verify", &Settings::ssl_verify, "verify the certificate of the collector"));
    static void check(const Settings& settings, config::Errors& errors) {
        check_entry(settings, errors);
        Uri uri;
        if (!split(settings.uri, uri)) return;
        if (uri.scheme != "http" && uri.scheme != "https") errors.add("uri: expected http or https");
        if (!uri.port.empty() && !parse_decimal<std::uint16_t>(uri.port)) errors.add("uri: no such port");
        for (const char c : uri.target) {
            if (!is_target_char(c)) return errors.add("uri: blanks or control characters in the path");
        }
        for (const char c : settings.auth_header.value_or("")) {
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return errors.add("auth_header: control characters");
        }
    }

    HttpLogger(const Settings& settings, BuildScope& scope)
        : BatchLogger(settings, read_metadata<HttpLogger>(scope), name, counts, "no-matched"),
          target_(target_of(settings)),
          lines_(settings.concat_method == "new_line") {}

private:
    static delivery::HttpTarget target_of(const Settings& settings) {
        Uri uri;
        split(settings.uri, uri);
        delivery::HttpTarget target;
        client::Url& url = target.url;
        url.tls = uri.scheme == "https";
        url.check_certificate = settings.ssl_verify;
        url.host = uri.host;
        url.port = parse_decimal<std::uint16_t>(uri.port).value_or(url.tls ? 443 : 80);
        const bool v6 = uri.host.find(':') != std::string_view::npos;
        url.authority = v6 ? "[" + url.host + "]" : url.host;
        if (!uri.port.empty()) url.authority.append(":").append(uri.port);
        const std::string_view sent = uri.target.substr(0, uri.target.find('#'));
        url.target = sent.starts_with('/') ? std::string(sent) : "/" + std::string(sent);
        target.authorization = settings.auth_header.value_or("");
        target.content_type = settings.concat_method == "new_line" ? "text/plain" : "application/json";
        target.timeout = Milliseconds(1000LL * settings.timeout);
        return target;
    }
    std::unique_ptr<delivery::Sender> make_sender(delivery::Dispatch& dispatch) const override {
        const auto joining = lines_     ? delivery::Joining::lines
                             : single() ? delivery::Joining::single
                                        : delivery::Joining::array;
        return std::make_unique<delivery::HttpSender>(*dispatch.client, target_, joining);
    }

    delivery::HttpTarget target_;
    bool lines_;
};
const Registration<HttpLogger> registration;

}  // namespace
}  // namespace gateway::plugins
