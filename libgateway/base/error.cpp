#include "libgateway/base/error.hpp"

#include <boost/system/system_error.hpp>

namespace gateway {

void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw boost::system::system_error(error.code);
}

}  // namespace gateway
