#include "libgateway/process/control_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

#include "libgateway/base/lines.hpp"
#include "libgateway/base/log.hpp"
#include "libgateway/process/control_async.hpp"

namespace gateway::process {

namespace {

constexpr unsigned most_connections = 64;
constexpr auto silence_limit = std::chrono::seconds(60);

// Closes the socket when a wait lasts too long; ends with its scope.
class Patience {
public:
    Patience(asio::io_context& loop, std::shared_ptr<asio::local::stream_protocol::socket> socket)
        : timer_(loop, silence_limit) {
        timer_.async_wait([socket = std::move(socket)](boost::system::error_code error) {
            boost::system::error_code ignored;
            if (!error) socket->close(ignored);
        });
    }

private:
    asio::steady_timer timer_;
};

}  // namespace

void ControlServer::listen(UniqueFd listener) {
    acceptor_ = std::make_shared<Protocol::acceptor>(loop_, Protocol(), listener.get());
    (void)listener.release();
    asio::co_spawn(loop_, accept(acceptor_), asio::detached);
}

void ControlServer::add(UniqueFd socket) {
    auto connected = std::make_shared<Protocol::socket>(loop_, Protocol(), socket.release());
    asio::co_spawn(loop_, serve(std::move(connected)), asio::detached);
}

void ControlServer::stop() {
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
    acceptor_.reset();
}

asio::awaitable<void> ControlServer::accept(std::shared_ptr<Protocol::acceptor> acceptor) {
    asio::steady_timer pause(loop_);
    while (acceptor->is_open()) {
        auto [error, socket] = co_await acceptor->async_accept(quietly);
        if (!error && open_ < most_connections) {
            asio::co_spawn(loop_, serve(std::make_shared<Protocol::socket>(std::move(socket))), asio::detached);
        } else if (error && acceptor->is_open()) {
            pause.expires_after(std::chrono::milliseconds(100));
            co_await pause.async_wait(quietly);
        }
    }
}

asio::awaitable<void> ControlServer::serve(std::shared_ptr<Protocol::socket> socket) {
    struct Count {
        explicit Count(unsigned& all) : open(all) { ++open; }
        ~Count() { --open; }
        unsigned& open;
    } const count(open_);
    Lines lines(control::most_request_bytes);
    std::string chunk(16 * 1024, '\0');
    while (socket->is_open() && !lines.overlong()) {
        auto line = lines.next();
        control::Answer answer;
        if (line) {
            std::string request(*line);
            answer = co_await answer_to(std::move(request));
        } else if (lines.overlong()) {
            answer = control::refuse(control::Status::refused, "the request is longer than 96 MiB");
        } else {
            const Patience patience(loop_, socket);
            const auto [error, size] = co_await socket->async_read_some(asio::buffer(chunk), quietly);
            if (error) break;
            lines.feed({chunk.data(), size});
            continue;
        }
        const std::string text = control::write(answer);
        const Patience patience(loop_, socket);
        const auto [error, size] = co_await asio::async_write(*socket, asio::buffer(text), quietly);
        if (error) break;
    }
}

asio::awaitable<control::Answer> ControlServer::answer_to(std::string line) {
    std::string why;
    auto request = control::parse_request(line, why);
    if (!request) co_return control::refuse(control::Status::usage, "no request: " + why);
    try {
        control::Answer answer = co_await handle_(std::move(*request));
        co_return answer;
    } catch (const std::exception& error) {
        log::error("control socket: {}", error.what());
        why = error.what();
    }
    co_return control::refuse(control::Status::refused, why);
}

}  // namespace gateway::process
