#include "libgateway/config/ssl_object.hpp"

namespace gateway::config {

void Ssl::check(const Ssl& ssl, Errors& errors) {
    const bool server = ssl.type == "server";
    const bool named = ssl.sni.has_value() != !ssl.snis.empty();
    if (ssl.cert && ssl.key && (named || !server)) return;
    if (server) {
        errors.add("then clause did not match", "a server needs cert, key and one of sni and snis");
    } else {
        errors.add("else clause did not match", "a client needs cert and key");
    }
}

std::vector<std::string> Ssl::names() const {
    return sni ? std::vector<std::string>{*sni} : snis;
}

Ssl read_ssl(const json::Value& value) {
    Ssl ssl;
    Errors errors;
    errors.allow_references();
    read(value, ssl, errors);
    errors.throw_if_any();
    return ssl;
}

}  // namespace gateway::config
