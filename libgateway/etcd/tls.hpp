// Certificates of the connections to etcd.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include "libgateway/etcd/options.hpp"

namespace gateway::etcd {

// Reads the files; throws Failure that names the one that cannot be used.
boost::asio::ssl::context make_tls(const TlsOptions& options);

}  // namespace gateway::etcd
