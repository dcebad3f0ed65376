// Any bytes as the first that a client sends: a handshake that goes on or ends, and nothing kept of it.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdlib>

#include "libgateway/tls/server.hpp"
#include "tests/support/made_certificate.hpp"

using namespace gateway;

namespace {

const tls::Server& server() {
    static const Ref<tls::Server> made = [] {
        tls::ServerSettings shared;
        shared.tickets = true;
        Ref<tls::Server> fresh = make_ref<tls::Server>(shared);
        const test::MadeCertificate certificate = test::make_certificate({"a.test", "DNS:a.test"});
        tls::NameIndex names;
        for (const char* name : {"a.test", "*.b.test", "*x.test"}) {
            tls::IdentitySettings settings;
            settings.id = name;
            settings.names = {name};
            std::string problem;
            settings.pairs.push_back(tls::read_pair(certificate.certificate, certificate.key, problem));
            if (!problem.empty()) std::abort();
            names.add(make_ref<const tls::Identity>(std::move(settings)));
        }
        fresh->use(names);
        return fresh;
    }();
    return *made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const tls::Owned<SSL> ssl(server().begin());
    BIO* const in = ::BIO_new_mem_buf(data, static_cast<int>(size));
    BIO* const out = ::BIO_new(::BIO_s_mem());
    if (!ssl || !in || !out) std::abort();
    ::SSL_set_bio(ssl.get(), in, out);
    const int result = ::SSL_do_handshake(ssl.get());
    const tls::Visit& visit = tls::Server::visit(ssl.get());
    if (result == 1) std::abort();  // nobody shakes hands alone
    if (visit.refusal == tls::Handshake::done && !visit.identity && !visit.name.empty()) std::abort();
    ::ERR_clear_error();
    return 0;
}
