#include "tests/support/steady_load.hpp"

#include <chrono>

namespace gateway::test {

namespace {

// So that the clients leave the processor to those who are tested.
void breathe() {
    std::this_thread::sleep_for(milliseconds(2));
}

bool good(const Message& answer) {
    return answer.complete && answer.status() == 200;
}

}  // namespace

LoadResult LoadThreads::stop() {
    going_ = false;
    for (std::thread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
    const std::scoped_lock lock(mutex_);
    return {answered_, broken_, first_};
}

void LoadThreads::count_broken(const std::string& why) {
    const std::scoped_lock lock(mutex_);
    if (broken_++ == 0) first_ = why;
}

SteadyLoad::SteadyLoad(std::uint16_t port, Manner manner, int clients) {
    for (int i = 0; i < clients; ++i) {
        threads_.emplace_back(
            [this, port, manner] { manner == Manner::keep_alive_posts ? post_on(port) : get_from(port); });
    }
}

void SteadyLoad::post_on(std::uint16_t port) {
    while (going()) {
        try {
            RawClient client(port);
            for (bool keep = true; keep && going(); breathe()) {
                const Message answer = client.ask("POST", "/post", {}, "a body of some bytes");
                keep = answer.field("Connection") != "close";
                good(answer) ? count_answer() : count_broken(answer.start_line);
            }
        } catch (const ConnectionError& error) {
            count_broken(error.what());
        }
    }
}

void SteadyLoad::get_from(std::uint16_t port) {
    while (going()) {
        try {
            const Message answer = fetch(port, "GET", "/short", "Connection: close\r\n");
            good(answer) ? count_answer() : count_broken(answer.start_line);
        } catch (const ConnectionError& error) {
            count_broken(error.what());
        }
        breathe();
    }
}

Tunnels::Tunnels(std::uint16_t port, int count, std::string_view target) {
    for (int i = 0; i < count; ++i) {
        RawClient& client = tunnels_.emplace_back(port);
        client.send(make_request("GET", target, "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
        const std::string head = client.read_until("\r\n\r\n");
        if (head.find("HTTP/1.1 101") != 0) throw ConnectionError("no tunnel: " + head);
    }
    threads_.emplace_back([this] { echo_all(); });
}

void Tunnels::echo_all() {
    for (std::size_t round = 0; going(); ++round) {
        for (auto tunnel = tunnels_.begin(); tunnel != tunnels_.end();) {
            const std::string text = "round " + std::to_string(round);
            try {
                tunnel->send(text);
                if (tunnel->read_exactly(text.size()) != text) throw ConnectionError("something else came back");
                count_answer();
                ++tunnel;
            } catch (const ConnectionError& error) {
                count_broken(error.what());
                tunnel = tunnels_.erase(tunnel);
            }
        }
        breathe();
    }
}

IdleClients::IdleClients(std::uint16_t port, int count) {
    for (int i = 0; i < count; ++i) clients_.emplace_back(port);
    if (ask_again() != clients_.size()) throw ConnectionError("not every connection was answered");
}

std::size_t IdleClients::ask_again() {
    std::size_t answered = 0;
    for (RawClient& client : clients_) {
        try {
            answered += good(client.get("/idle")) ? 1 : 0;
        } catch (const ConnectionError&) {
            continue;
        }
    }
    return answered;
}

}  // namespace gateway::test
