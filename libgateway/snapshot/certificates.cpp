#include "libgateway/snapshot/certificates.hpp"

#include <algorithm>

#include "libgateway/config/secret_reference.hpp"
#include "libgateway/config/ssl_object.hpp"

namespace gateway {

namespace {

// The text, or what it refers to; `problem` says why there is none.
std::string resolved(const std::string& text, std::string& problem) {
    if (!config::is_secret_reference(text)) return text;
    std::string why;
    auto value = config::resolve_secret(text, why);
    if (!value) problem = text + ": " + why;
    return value.value_or(std::string());
}

tls::PairBytes read_pair(const std::string& certificate, const std::string& key, std::string& problem) {
    const std::string chain = resolved(certificate, problem), secret = resolved(key, problem);
    return problem.empty() ? tls::read_pair(chain, secret, problem) : tls::PairBytes();
}

// Good pairs serve although others are bad.
void add_pairs(const config::Ssl& ssl, tls::IdentitySettings& to) {
    std::string first;
    const auto add = [&](const std::string& certificate, const std::string& key) {
        std::string problem;
        tls::PairBytes pair = read_pair(certificate, key, problem);
        if (problem.empty()) to.pairs.push_back(std::move(pair));
        if (first.empty()) first = std::move(problem);
    };
    add(*ssl.cert, *ssl.key);
    for (std::size_t i = 0; i < std::min(ssl.certs.size(), ssl.keys.size()); ++i) add(ssl.certs[i], ssl.keys[i]);
    if (to.pairs.empty()) to.problem = first;
}

// A name that must be checked is never served unchecked.
void add_client(const config::SslClient& client, tls::IdentitySettings& to) {
    std::string problem;
    const std::string authorities = resolved(client.ca, problem);
    tls::ClientCheck& check = to.client.emplace();
    if (problem.empty()) check.authorities = tls::certificates_of(authorities, problem);
    check.depth = static_cast<int>(client.depth);
    check.in_handshake = client.skip_mtls_uri_regex.empty();
    if (!problem.empty() && to.problem.empty()) to.problem = "client.ca: " + problem;
}

}  // namespace

ServerIdentity::ServerIdentity(tls::IdentitySettings settings, const std::vector<std::string>& open_paths)
    : Identity(std::move(settings)) {
    for (const std::string& pattern : open_paths) open_paths_.emplace_back(pattern);
}

bool ServerIdentity::is_open(std::string_view path) const noexcept {
    return std::any_of(open_paths_.begin(), open_paths_.end(),
                       [path](const expr::Regex& pattern) { return pattern.search(path); });
}

Ref<CertificateObject> read_certificate(const config::Change& change, const Hash128& hash) {
    const config::Ssl ssl = config::read_ssl(json::parse(change.json, {.positions = false}));
    const Ref<CertificateObject> made = make_ref<CertificateObject>();
    made->id = change.id;
    made->stamp.hash = hash;
    if (ssl.type != "server" || ssl.status == 0) return made;
    tls::IdentitySettings settings;
    settings.id = made->id;
    settings.order = change.order;
    settings.names = ssl.names();
    for (const std::string& protocol : ssl.ssl_protocols) settings.protocols |= tls::protocol_named(protocol);
    add_pairs(ssl, settings);
    if (ssl.client) add_client(*ssl.client, settings);
    try {
        made->identity = make_ref<ServerIdentity>(
            settings, ssl.client ? ssl.client->skip_mtls_uri_regex : std::vector<std::string>());
    } catch (const expr::RegexError& error) {
        settings.problem = std::string("client.skip_mtls_uri_regex: ") + error.what();
        made->identity = make_ref<ServerIdentity>(std::move(settings), std::vector<std::string>());
    }
    return made;
}

}  // namespace gateway
