#include "libgateway/etcd/tls.hpp"

#include "libgateway/etcd/failure.hpp"

namespace gateway::etcd {

namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

void require(const error_code& error, const std::string& what) {
    if (error) throw Failure(Cause::setup, what + ": " + error.message());
}

}  // namespace

ssl::context make_tls(const TlsOptions& options) {
    ssl::context context(ssl::context::tls_client);
    error_code error;
    context.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
    if (options.verify && options.ca.empty()) {
        context.set_default_verify_paths(error);
        require(error, "the certificates of the system");
    } else if (!options.ca.empty()) {
        context.load_verify_file(options.ca, error);
        require(error, "deployment.etcd.tls.ca " + options.ca);
    }
    context.set_verify_mode(options.verify ? ssl::verify_peer : ssl::verify_none, error);
    if (options.cert.empty()) return context;
    context.use_certificate_chain_file(options.cert, error);
    require(error, "deployment.etcd.tls.cert " + options.cert);
    context.use_private_key_file(options.key, ssl::context::pem, error);
    require(error, "deployment.etcd.tls.key " + options.key);
    return context;
}

}  // namespace gateway::etcd
