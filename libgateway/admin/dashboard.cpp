#include "libgateway/admin/dashboard.hpp"

#include <algorithm>

#include "libgateway/base/strings.hpp"

namespace gateway::admin {

namespace asio = boost::asio;
using control::Answer;
using control::Status;
using json::Value;

namespace {

constexpr std::size_t most_rows = 200, most_revisions = 500;

std::string text_of(const Target& target, std::string_view name) {
    const std::string* text = target.parameter(name);
    return text ? *text : std::string();
}

// Wrong numbers are taken for `otherwise`.
std::uint64_t number_of(const Target& target, std::string_view name, std::uint64_t otherwise) {
    return parse_decimal<std::uint64_t>(text_of(target, name)).value_or(otherwise);
}

ListQuestion question_of(const Target& target) {
    ListQuestion question;
    question.filter = text_of(target, "filter");
    question.from = number_of(target, "from", 0);
    question.most = std::min<std::size_t>(number_of(target, "most", question.most), most_rows);
    return question;
}

// Header lines of the imagined request come in one parameter, each on a line.
Value arguments_of(const Target& target) {
    Value headers = Value::array();
    for_each_item(text_of(target, "headers"), '\n', [&](std::string_view line) { headers.push(Value(line)); });
    return Value::object({{"method", Value(text_of(target, "method"))},
                          {"url", Value(text_of(target, "url"))},
                          {"from", Value(text_of(target, "from"))},
                          {"headers", std::move(headers)}});
}

// What was carried out although a worker lags is a success whose result names that worker.
Reply reply_of(Answer answer) {
    const bool done = answer.status == Status::ok || (answer.status == Status::not_ready && answer.result != "null");
    if (done) return json_reply(200, std::move(answer.result));
    std::string text;
    for (const std::string& error : answer.errors) text += (text.empty() ? "" : "\n") + error;
    return refuse(answer.status == Status::not_ready ? 503 : 400, text);
}

Reply status_reply(const Dashboard& dashboard, const Access::Verdict& who) {
    Value status = dashboard.status();
    status.set("key", Value::object({{"name", Value(well_formed(who.name))},
                                     {"role", who.role == Role::admin ? "admin" : "viewer"}}));
    return json_reply(200, json::write(status));
}

Dashboard::Coming ask(Dashboard& dashboard, const std::string& word, const Target& target) {
    if (word == "routes") return dashboard.routes(question_of(target));
    if (word == "upstreams") return dashboard.upstreams(question_of(target));
    if (word == "explain") return dashboard.explain(arguments_of(target));
    return dashboard.history(std::min<std::uint64_t>(number_of(target, "most", 20), most_revisions));
}

bool is_list(std::string_view word) noexcept {
    return word == "routes" || word == "upstreams" || word == "explain" || word == "revisions";
}

}  // namespace

asio::awaitable<Reply> answer_dashboard(Dashboard& dashboard, const Request& request, const Target& target,
                                        const Access::Verdict& who) {
    const std::vector<std::string> parts = *target.below("/apisix/admin/ui");
    const std::string word = parts.empty() ? std::string() : parts[0];
    const bool of_revision = word == "revisions" && parts.size() > 1;
    const auto number = of_revision ? parse_decimal<std::uint64_t>(parts[1]) : std::nullopt;
    const bool rollback = number && parts.size() == 3 && parts[2] == "rollback";
    if (rollback && request.method == "POST" && who.role == Role::admin) {
        store::Author author{who.name, request.peer};
        Answer answer = co_await dashboard.roll_back(*number, std::move(author));
        co_return reply_of(std::move(answer));
    }
    if (rollback) co_return refuse(405, "a rollback is asked for with POST");
    if (request.method != "GET") co_return refuse(405, "only GET is known here");
    if (word == "status" && parts.size() == 1) co_return status_reply(dashboard, who);
    if (number && parts.size() == 2) {
        Answer answer = co_await dashboard.revision(*number);
        co_return reply_of(std::move(answer));
    }
    if (parts.size() != 1 || !is_list(word)) co_return refuse(404, "not found");
    Answer answer = co_await ask(dashboard, word, target);
    co_return reply_of(std::move(answer));
}

}  // namespace gateway::admin
