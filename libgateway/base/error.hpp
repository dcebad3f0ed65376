// What can go wrong on the request path, and whose side it was on.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <cstdint>

namespace gateway {

using boost::system::error_code;

// Whose fault it was; decides the status that a client gets (proxy/failure_reply) and the reason code in the access
// log.
enum class Side : std::uint8_t { client, upstream, gateway };

struct Error {
    error_code code;
    Side side = Side::gateway;
    bool retryable = false;  // nothing of the exchange was seen by the other side, so another attempt is safe
};

template <class T>
using Result = boost::system::result<T, Error>;

// Lets Result<T>::value() throw; only used in control and in tests, the hot path asks has_value().
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

}  // namespace gateway
