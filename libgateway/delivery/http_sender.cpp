#include <fmt/format.h>

#include <algorithm>

#include "libgateway/delivery/senders.hpp"

namespace gateway::delivery {

namespace {

constexpr std::size_t told_body = 256;  // bytes of an answer, in a message

// What may stand in one line of a log.
std::string printable(std::string_view text) {
    std::string line(text.substr(0, told_body));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return line;
}

}  // namespace

HttpSender::HttpSender(client::Client& client, HttpTarget target, Joining joining)
    : client_(client), target_(std::move(target)), joining_(joining) {
    limits_.connect = limits_.send = limits_.read = target_.timeout;
    limits_.whole = 3 * target_.timeout + Milliseconds(60'000);
    limits_.repeat_any = true;  // better twice than never
    fields_.push_back({"Content-Type", target_.content_type, http::FieldName::content_type});
    if (!target_.authorization.empty())
        fields_.push_back({"Authorization", target_.authorization, http::FieldName::authorization});
}

Task<Sent> HttpSender::send(const Batch& batch) {
    std::string body;
    if (joining_ == Joining::lines) {
        batch.join(body, "\n");
    } else {
        body = json_body(batch, joining_ == Joining::single);
    }
    const client::Request request{http::Verb::post, "POST", {}, {}, fields_, body};
    client::Answer answer;
    Task<void> asking = client_.send(target_.url, request, limits_, answer);
    co_await asking;
    Sent sent;
    const client::Url& url = target_.url;
    if (answer.failure != client::Failure::none) {
        sent.error = fmt::format("failed to send data to host[{}] port[{}] {}", url.host, url.port, describe(answer));
    } else if (answer.head->status >= 400) {
        sent.error = fmt::format("server returned status code[{}] host[{}] port[{}] body[{}]", answer.head->status,
                                 url.host, url.port, printable(answer.body));
    }
    co_return sent;
}

}  // namespace gateway::delivery
