#include "tests/support/scripted_dns.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <string_view>

namespace gateway::test {

namespace {

constexpr std::size_t head_size = 12;

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void send_to(int socket, std::string_view bytes, const sockaddr_in& to) {
    ::sendto(socket, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

// The end of the first question: its name, type and class.
std::size_t question_end(std::string_view packet) {
    std::size_t at = head_size;
    while (at < packet.size() && packet[at] != 0) at += static_cast<unsigned char>(packet[at]) + 1u;
    return at + 5;
}

}  // namespace

ScriptedDns::ScriptedDns() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("cannot bind a UDP port of 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { listen(); });
}

ScriptedDns::~ScriptedDns() {
    stopping_ = true;
    send_to(socket_.get(), "wake", loopback(port_));
    thread_.join();
}

void ScriptedDns::listen() {
    for (;;) {
        std::array<char, 1500> block;
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const auto got =
            ::recvfrom(socket_.get(), block.data(), block.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (stopping_) return;
        if (got < static_cast<ssize_t>(head_size)) continue;
        const std::lock_guard lock(mutex_);
        open_.emplace_back(std::string(block.data(), static_cast<std::size_t>(got)), from);
        ++questions_;
        if (!speaks_) continue;
        answer(open_.back());
        open_.clear();
    }
}

void ScriptedDns::speak() {
    const std::lock_guard lock(mutex_);
    speaks_ = true;
    for (const Question& question : open_) answer(question);
    open_.clear();
}

// RFC 1035 4.1: the question's id, "response, recursion available", the question again, and for an A a pointer to its
// name with 127.0.0.1, good for a minute.
void ScriptedDns::answer(const Question& question) const {
    const auto& [packet, from] = question;
    const std::size_t end = question_end(packet);
    if (end > packet.size()) return;
    const bool asks_a = packet[end - 4] == 0 && packet[end - 3] == 1;
    std::string reply = packet.substr(0, 2) + std::string("\x81\x80\x00\x01", 4);
    reply += std::string("\x00", 1) + (asks_a ? '\x01' : '\x00') + std::string(4, '\0');
    reply += packet.substr(head_size, end - head_size);
    if (asks_a) reply += std::string("\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01", 16);
    send_to(socket_.get(), reply, from);
}

}  // namespace gateway::test
