#include "libgateway/admin/status_api.hpp"

#include "libgateway/json/value.hpp"

namespace gateway::admin {

StatusReply status_reply(std::string_view method, std::string_view target, std::string_view not_ready) {
    const std::string_view path = target.substr(0, target.find('?'));
    if (path != "/status" && path != "/status/ready") return {404, R"({"error_msg":"404 Route Not Found"})"};
    if (method != "GET" && method != "HEAD") return {405, R"({"error_msg":"405 Method Not Allowed"})"};
    if (path == "/status" || not_ready.empty()) return {200, R"({"status":"ok"})"};
    return {503, json::write(json::Value::object({{"status", "error"}, {"error", json::Value(not_ready)}}))};
}

StatusApi::StatusApi(boost::asio::io_context& loop, NotReady not_ready)
    : not_ready_(std::move(not_ready)),
      server_(loop, {.request = [this](Request request) { return answer(std::move(request)); }}, limits_of_probes()) {}

boost::asio::awaitable<Reply> StatusApi::answer(Request request) {
    StatusReply made = status_reply(request.method, request.target, not_ready_());
    Reply reply{made.status, std::move(made.body)};
    reply.fields.emplace_back("Server", "gateway/" GATEWAY_VERSION);
    co_return reply;
}

}  // namespace gateway::admin
