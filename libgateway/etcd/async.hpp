// The few words every coroutine of this room uses.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace gateway::etcd {

namespace asio = boost::asio;
inline constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
using Clock = std::chrono::steady_clock;

}  // namespace gateway::etcd
