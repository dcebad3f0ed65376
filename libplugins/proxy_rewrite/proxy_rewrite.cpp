#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/expr/regex.hpp"
#include "libgateway/expr/template.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/escape.hpp"
#include "libplugins/common/header_rules.hpp"

namespace gateway::plugins {
namespace {

bool begins_with_slash(std::string_view text) {
    return !text.empty() && text.front() == '/';
}

bool is_host(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view host = text.substr(0, colon);
    const std::string_view port = colon == std::string_view::npos ? "0" : text.substr(colon + 1);
    const auto allowed = [](char c) {
        return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '.';
    };
    return !host.empty() && std::all_of(host.begin(), host.end(), allowed) && !port.empty() && port.size() <= 5 &&
           std::all_of(port.begin(), port.end(), is_digit);
}

// Variables whose values keep their question marks to themselves: `?` becomes `%3F`.
class WithoutQuestionMarks final : public expr::VariableSource {
public:
    explicit WithoutQuestionMarks(Exchange& exchange) : exchange_(exchange) {}
    bool read(const expr::Variable& variable, expr::VariableValue& out) const override {
        if (!exchange_.read(variable, out)) return false;
        while (true) {
            const std::size_t mark = out.text.find('?');
            if (mark == std::string_view::npos) return true;
            out.text = exchange_.arena().join(out.text.substr(0, mark), "%3F", out.text.substr(mark + 1));
        }
    }

private:
    Exchange& exchange_;
};

class ProxyRewrite final : public Plugin {
public:
    struct Settings {
        std::optional<std::string> uri, method, host;
        std::vector<std::string> regex_uri;
        json::Value headers;
        std::optional<bool> use_real_request_uri_unsafe;
    };
    static constexpr std::string_view name = "proxy-rewrite";
    static constexpr int priority = 1008;
    static constexpr auto schema = config::fields(
        config::field("uri", &Settings::uri, "new path, may have a query; template", config::length(1, 4096),
                      config::pattern("^\\/.*", begins_with_slash)),
        config::field("method", &Settings::method, "new method",
                      config::one_of("GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "MKCOL", "COPY", "MOVE",
                                     "PROPFIND", "LOCK", "UNLOCK", "PATCH", "TRACE")),
        config::field("regex_uri", &Settings::regex_uri,
                      "pairs of an expression on the path and its replacement; the first that matches counts",
                      config::items(2)),
        config::field("host", &Settings::host, "Host for the upstream (with pass_host: pass)",
                      config::pattern("^[0-9a-zA-Z-.]+(:\\d{1,5})?$", is_host)),
        config::field("headers", &Settings::headers, "request fields: {add, set, remove}, or a plain object to set"),
        config::field("use_real_request_uri_unsafe", &Settings::use_real_request_uri_unsafe,
                      "start from the target as received, without decoding and encoding"));

    static void check(const Settings& settings, config::Errors& errors) {
        const bool something = settings.uri || settings.method || settings.host || !settings.regex_uri.empty() ||
                               !settings.headers.is_null() || settings.use_real_request_uri_unsafe;
        if (!something) errors.add("expect object to have at least 1 properties");
        HeaderRules::check(settings.headers, AddForm::members, errors);
        if (settings.regex_uri.size() % 2 != 0) return errors.add("The length of regex_uri should be an even number");
        for (std::size_t i = 0; i < settings.regex_uri.size(); i += 2) {
            check_pair(settings.regex_uri[i], settings.regex_uri[i + 1], errors);
        }
    }

    ProxyRewrite(Settings settings, BuildScope&)
        : settings_(std::move(settings)),
          headers_(without_host(settings_.headers), AddForm::members),
          only_fields_(!settings_.host && !settings_.uri && !settings_.method && settings_.regex_uri.empty() &&
                       !settings_.use_real_request_uri_unsafe) {
        if (settings_.uri) split(*settings_.uri);
        for (std::size_t i = 0; i < settings_.regex_uri.size(); i += 2) {
            pairs_.push_back({expr::Regex(settings_.regex_uri[i]), expr::Replacement(settings_.regex_uri[i + 1])});
        }
    }

    Step rewrite(Exchange& exchange) const override {
        if (only_fields_) {
            headers_.apply(exchange.request.fields, exchange, exchange.arena());
            return Verdict::next;
        }
        if (settings_.host) exchange.upstream_host = *settings_.host;
        if (settings_.uri) {
            exchange.upstream_uri = unsafe() ? raw_target(exchange) : safe_target(exchange);
        } else if (!pairs_.empty()) {
            expr::Captures captures;
            if (!substitute(exchange, captures)) return exchange.respond_with(exchange.reply());
            set_headers(exchange, {captures.groups.data(), captures.count});
        } else if (unsafe()) {
            exchange.upstream_uri = raw_subject(exchange);
        }
        if (settings_.uri || pairs_.empty()) set_headers(exchange, {});
        if (settings_.method) {
            exchange.upstream_method_text = *settings_.method;
            exchange.upstream_method = boost::beast::http::string_to_verb(*settings_.method);
        }
        return Verdict::next;
    }

private:
    struct Pair {
        expr::Regex regex;
        expr::Replacement replacement;
    };

    void set_headers(Exchange& exchange, std::span<const std::string_view> captures) const {
        if (!headers_.empty()) headers_.apply(exchange.request.fields, exchange, exchange.arena(), captures);
    }

    static void check_pair(const std::string& pattern, const std::string& replacement, config::Errors& errors) {
        try {
            const expr::Regex regex(pattern);
            const expr::Replacement text(replacement);
        } catch (const expr::RegexError& error) {
            errors.add("invalid regex_uri(" + pattern + ", " + replacement + "): " + error.what());
        }
    }

    // Host has its own setting and is none of `headers`.
    static json::Value without_host(json::Value headers) {
        for (json::Value* members : {&headers, headers.find("add"), headers.find("set")}) {
            if (!members || !members->is_object()) continue;
            json::Value::Object& list = members->make_object();
            list.erase(std::remove_if(list.begin(), list.end(),
                                      [](const auto& member) { return iequals(member.key, "host"); }),
                       list.end());
        }
        return headers;
    }

    bool unsafe() const noexcept { return settings_.use_real_request_uri_unsafe.value_or(false); }

    // At the template's own question mark; one inside `${…}` belongs to a default text.
    void split(std::string_view uri) {
        std::size_t mark = 0;
        for (bool braced = false; mark < uri.size() && (braced || uri[mark] != '?'); ++mark) {
            if (uri[mark] == '{' && mark > 0 && uri[mark - 1] == '$') braced = true;
            if (uri[mark] == '}') braced = false;
        }
        path_ = expr::Template(uri.substr(0, mark));
        has_query_ = mark < uri.size();
        if (has_query_) query_ = expr::Template(uri.substr(mark + 1));
    }

    std::string_view safe_target(Exchange& exchange) const {
        Arena& arena = exchange.arena();
        const std::string_view path = escape(path_.expand(exchange, arena).text, Escape::path, arena);
        if (!has_query_) return with_query(path, "?", exchange);
        const WithoutQuestionMarks source(exchange);
        const std::string_view query = escape(query_.expand(source, arena).text, Escape::raw, arena);
        return with_query(arena.join(path, "?", query), "&", exchange);
    }

    // Values go in as they are, but for what would break the request line.
    std::string_view raw_target(Exchange& exchange) const {
        Arena& arena = exchange.arena();
        const WithoutQuestionMarks source(exchange);
        const std::string_view path = escape(path_.expand(source, arena).text, Escape::raw, arena);
        if (!has_query_) return with_query(path, "?", exchange);
        const std::string_view query = escape(query_.expand(source, arena).text, Escape::raw, arena);
        return with_query(arena.join(path, "?", query), "&", exchange);
    }

    // The target as received, in origin form.
    static std::string_view raw_subject(Exchange& exchange) {
        const http::RequestHead& head = exchange.request;
        if (begins_with_slash(head.target)) return head.target;
        return head.has_query ? exchange.arena().join(head.raw_path, "?", head.query) : head.raw_path;
    }

    static std::string_view with_query(std::string_view target, std::string_view mark, Exchange& exchange) {
        return exchange.args.empty() ? target : exchange.arena().join(target, mark, exchange.args);
    }

    // False if the engine failed; the reply is set then.
    bool substitute(Exchange& exchange, expr::Captures& captures) const {
        Arena& arena = exchange.arena();
        const std::string_view subject = unsafe() ? raw_subject(exchange) : exchange.uri;
        if (unsafe()) exchange.upstream_uri = subject;
        for (std::size_t i = 0; i < pairs_.size(); ++i) {
            const expr::RegexResult result = pairs_[i].regex.match(subject, &captures);
            if (result == expr::RegexResult::gave_up) return refuse(exchange, subject, settings_.regex_uri[2 * i]);
            if (result == expr::RegexResult::no_match) continue;
            const std::string_view whole = captures.groups[0];
            const auto before = static_cast<std::size_t>(whole.data() - subject.data());
            std::string_view made = arena.join(subject.substr(0, before), pairs_[i].replacement.expand(captures, arena),
                                               subject.substr(before + whole.size()));
            if (!begins_with_slash(made)) made = arena.join("/", made);
            exchange.upstream_uri = unsafe() ? escape(made, Escape::raw, arena)
                                             : with_query(escape(made, Escape::path, arena), "?", exchange);
            return true;
        }
        captures.count = 0;
        return true;
    }

    static bool refuse(Exchange& exchange, std::string_view subject, const std::string& pattern) {
        const std::string message =
            "failed to match the uri " + std::string(subject) + " (" + pattern + ")  : match limit exceeded";
        const json::Value body = json::Value::object({{"error_msg", message}});
        exchange.reply() = {500, LocalReply::Body::json, exchange.arena().copy(json::write(body))};
        return false;
    }

    Settings settings_;
    HeaderRules headers_;
    bool only_fields_;  // the target, the host and the method stay
    expr::Template path_, query_;
    bool has_query_ = false;
    std::vector<Pair> pairs_;
};
const Registration<ProxyRewrite> registration;

}  // namespace
}  // namespace gateway::plugins
