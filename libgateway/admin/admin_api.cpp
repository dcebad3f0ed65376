#include "libgateway/admin/admin_api.hpp"

#include "libgateway/admin/bulk.hpp"
#include "libgateway/admin/schema_calls.hpp"
#include "libgateway/admin/ui_page.hpp"
#include "libgateway/base/log.hpp"

namespace gateway::admin {

namespace asio = boost::asio;

namespace {

constexpr std::string_view prefix = "/apisix/admin";

Reply unauthorised(const std::string& why) {
    return json_reply(
        401,
        json::write(json::Value::object({{"error_msg", "failed to check token"}, {"description", json::Value(why)}})));
}

Reply preflight() {
    Reply reply;
    reply.fields = {{"Access-Control-Allow-Origin", "*"},
                    {"Access-Control-Allow-Methods", "POST, GET, PUT, OPTIONS, DELETE, PATCH"},
                    {"Access-Control-Max-Age", "3600"},
                    {"Access-Control-Allow-Headers", "*"},
                    {"Access-Control-Allow-Credentials", "true"}};
    return reply;
}

Reply refuse_size(std::uint64_t size) {
    return refuse(400, "invalid request body: request size " + std::to_string(size) +
                           " is greater than the maximum size " + std::to_string(AdminApi::most_body) + " allowed");
}

using Segments = std::vector<std::string>;

// What there is in standalone API mode, beside the question whether the API is there.
bool concerns_whole(const std::string& method, const Segments& segments) {
    if (segments == Segments{"configs"}) return method == "GET" || method == "PUT" || method == "HEAD";
    return method == "POST" && segments == Segments{"configs", "validate"};
}

// The fields that every answer has.
void dress(const AdminSettings& settings, Reply& reply) {
    reply.fields.emplace_back("Server", settings.server_token);
    if (!settings.cors) return;
    const std::pair<const char*, const char*> fields[] = {{"Access-Control-Allow-Origin", "*"},
                                                          {"Access-Control-Allow-Credentials", "true"},
                                                          {"Access-Control-Expose-Headers", "*"},
                                                          {"Access-Control-Max-Age", "3600"}};
    for (const auto& [name, value] : fields) {
        if (!has_field(reply, name)) reply.fields.emplace_back(name, value);
    }
}

}  // namespace

AdminApi::AdminApi(Objects& objects, AdminSettings settings, Reload reload)
    : objects_(objects), calls_(objects), reload_(std::move(reload)) {
    use(std::move(settings));
}

void AdminApi::use(AdminSettings settings) {
    Access access(settings.access);
    settings_ = std::make_shared<const Settings>(Settings{std::move(settings), std::move(access)});
}

Reply AdminApi::too_large(std::uint64_t size) const {
    Reply reply = refuse_size(size);
    dress(settings_->given, reply);
    return reply;
}

Reply AdminApi::malformed() const {
    Reply reply = page(400, settings_->given.page_token);
    dress(settings_->given, reply);
    return reply;
}

asio::awaitable<Reply> AdminApi::answer(Request request) {
    const auto settings = settings_;  // those in force when the request came
    Reply reply;
    try {
        reply = co_await admit(*settings, request);
    } catch (const std::exception& error) {
        log::error("the Admin API could not answer {} {}: {}", request.method, Target(request.target).path(),
                   error.what());
        reply = refuse(500, "internal error");
    }
    dress(settings->given, reply);
    co_return reply;
}

asio::awaitable<Reply> AdminApi::admit(const Settings& settings, const Request& request) {
    const std::string& token = settings.given.page_token;
    const Target target(request.target);
    if (!settings.access.admits(request.peer)) co_return page(403, token);
    if (request.method == "OPTIONS" && settings.given.cors) co_return preflight();
    const bool ui = dashboard_ && settings.given.ui && !whole_;
    if (ui && target.below("/ui")) co_return ui_page(request, target, token);
    const auto segments = target.below(prefix);
    if (request.method == "HEAD" && segments && segments->empty()) co_return Reply{};
    const bool known =
        segments && (whole_ ? concerns_whole(request.method, *segments) : parse_method(request.method).has_value());
    if (!known) co_return page(404, token);
    const Access::Verdict verdict = settings.access.check(request, target);
    if (!verdict.refusal.empty()) co_return unauthorised(verdict.refusal);
    if (request.body.size() > most_body) co_return refuse_size(request.body.size());
    if (ui && !segments->empty() && segments->front() == "ui") {
        Reply reply = co_await answer_dashboard(*dashboard_, request, target, verdict);
        co_return reply;
    }
    store::Author author{verdict.name, request.peer};
    if (whole_) {
        Reply reply = co_await route_whole(request, target, std::move(author));
        co_return reply;
    }
    Reply reply = co_await route(request, target, std::move(author));
    co_return reply;
}

asio::awaitable<Reply> AdminApi::route(const Request& request, const Target& target, store::Author author) {
    std::vector<std::string> segments = *target.below(prefix);
    if (segments.empty()) co_return refuse(404, "not found");
    const std::string& first = segments.front();
    if (first == "plugins" && segments.size() == 2 && segments[1] == "reload") {
        Reply reply = co_await reload_plugins(request);
        co_return reply;
    }
    if (first == "schema" || first == "plugins")
        co_return answer_about_schemas(objects_, request.method, request.body, segments, target);
    if (first == "configs") {
        Reply reply = co_await answer_bulk(objects_, request, target, segments, std::move(author));
        co_return reply;
    }
    Call call;
    call.method = *parse_method(request.method);
    call.request = &request;
    call.target = &target;
    call.author = std::move(author);
    call.envelope = Envelope(settings_->given.version);
    call.stream_mode = settings_->given.stream_mode;
    Reply reply = co_await calls_.answer(std::move(call), std::move(segments));
    Envelope(settings_->given.version).mark(reply);
    co_return reply;
}

asio::awaitable<Reply> AdminApi::route_whole(const Request& request, const Target& target, store::Author author) {
    Reply reply;
    if (request.method == "POST") {
        reply = co_await answer_bulk(objects_, request, target, *target.below(prefix), std::move(author));
    } else {
        reply = co_await answer_standalone(objects_, *whole_, request, std::move(author));
    }
    co_return reply;
}

asio::awaitable<Reply> AdminApi::reload_plugins(const Request& request) {
    if (request.method != "PUT") {
        co_return refuse(405,
                         "please use PUT method to reload the plugins, " + request.method + " method is not allowed.");
    }
    std::string refusal;
    if (reload_) refusal = co_await reload_();
    if (!refusal.empty()) co_return refuse(503, refusal);
    co_return text_reply(200, "done");
}

}  // namespace gateway::admin
