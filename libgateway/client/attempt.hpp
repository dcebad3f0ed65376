// One try of one question on one connection.
#pragma once

#include <string_view>

#include "libgateway/client/client.hpp"
#include "libgateway/http/chunked.hpp"

namespace gateway::client {

// In the frame of whoever asks; all references outlive it.
class Attempt {
public:
    // `until_ms`: when all must be over, by the reactor's clock.
    Attempt(Client& client, const Limits& limits, std::int64_t until_ms, net::Sleeper& sleeper, Answer& answer) noexcept
        : client_(client), limits_(limits), until_ms_(until_ms), sleeper_(sleeper), answer_(answer) {}

    Task<Failure> connect(upstream::Endpoint& endpoint);
    bool take_idle(upstream::Endpoint& endpoint) noexcept {
        lease_ = client_.pool_.take_idle(endpoint, true);
        return static_cast<bool>(lease_);
    }
    // Sends both and reads the answer to its end; gives a connection back that may be used again.
    Task<Failure> talk(http::Verb method, std::string_view head, std::string_view body);
    bool heard_something() const noexcept { return size_ > begin_of_bytes; }

private:
    // The parsed head lies before the bytes that it views.
    static constexpr std::size_t begin_of_bytes = sizeof(http::ResponseHead);

    Task<Failure> write(std::string_view head, std::string_view body);
    Task<Failure> read_head(http::Verb method, http::ResponseHead& head);
    Task<Failure> read_body(const http::ResponseHead& head);
    // `got` 0: the other side has ended its half.
    Task<Failure> read_some(std::span<char> into, std::size_t& got);
    Failure lost(Failure failure, const net::IoResult& result) noexcept;
    Failure take(std::string_view& pending, const http::BodyFraming& framing);
    void keep(std::string_view piece);
    Milliseconds at_most(Milliseconds limit) const noexcept;

    Client& client_;
    const Limits& limits_;
    const std::int64_t until_ms_;
    net::Sleeper& sleeper_;
    Answer& answer_;
    upstream::Lease lease_;
    http::ChunkDecoder chunks_;
    std::size_t size_ = begin_of_bytes, begin_ = begin_of_bytes;  // of the head block: filled, parsed
    std::size_t kept_ = 0;                                        // bytes of the body
    bool ended_ = false;
};

}  // namespace gateway::client
