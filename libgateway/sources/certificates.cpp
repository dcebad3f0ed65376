#include "libgateway/sources/certificates.hpp"

#include "libgateway/config/secret_reference.hpp"
#include "libgateway/config/ssl_object.hpp"
#include "libgateway/expr/regex.hpp"
#include "libgateway/sources/secrets.hpp"
#include "libgateway/tls/pair.hpp"

namespace gateway::sources {

namespace {

class CertificateCheck {
public:
    CertificateCheck(const config::Ssl& ssl, bool check_match, std::int64_t now, config::Errors& warnings)
        : ssl_(ssl),
          names_(ssl.type == "server" ? ssl.names() : std::vector<std::string>()),
          match_(check_match),
          now_(now),
          warnings_(warnings) {}

    // The first thing that refuses the object; empty if nothing does.
    std::string run() {
        std::string refusal = check_pair("key", *ssl_.cert, *ssl_.key);
        if (!refusal.empty()) return refusal;
        if (ssl_.certs.size() != ssl_.keys.size()) return "mismatched number of certs and keys";
        for (std::size_t i = 0; i < ssl_.certs.size(); ++i) {
            const std::string number = std::to_string(i + 1);
            refusal = check_pair("keys[" + std::to_string(i) + "]", ssl_.certs[i], ssl_.keys[i]);
            if (!refusal.empty()) return "failed to handle cert-key pair[" + number + "]: " + refusal;
        }
        return ssl_.client ? check_client(*ssl_.client) : std::string();
    }

private:
    std::string check_pair(const std::string& field, const std::string& certificate, const std::string& key) {
        if (config::is_secret_reference(certificate) || config::is_secret_reference(key)) return {};
        std::string problem;
        tls::PairBytes bytes;
        bytes.chain = tls::certificates_of(certificate, problem);
        if (!problem.empty()) return problem;
        if (is_sealed_key(key)) {
            warnings_.add_member(field, {},
                                 "it is encrypted, and no key of the keyring reads it: clients that ask for these "
                                 "names are turned away");
            return {};
        }
        bytes.key = tls::private_key_of(key);
        if (bytes.key.empty()) return std::string(tls::key_refusal);
        const std::optional<tls::Pair> pair = tls::build_pair(bytes, problem);
        if (!pair) return problem;
        for (std::string& warning : tls::warnings_of(*pair, names_, now_)) warnings_.add(std::move(warning));
        return tls::refusal_of(*pair, match_);
    }

    std::string check_client(const config::SslClient& client) {
        if (!config::is_secret_reference(client.ca)) {
            const std::string problem = tls::authorities_refusal(client.ca);
            if (!problem.empty()) return "failed to validate client_cert: " + problem;
        }
        for (const std::string& pattern : client.skip_mtls_uri_regex) {
            try {
                const expr::Regex compiled(pattern);
            } catch (const expr::RegexError& error) {
                return "failed to compile the regular expression \"" + pattern + "\": " + error.what();
            }
        }
        return {};
    }

    const config::Ssl& ssl_;
    const std::vector<std::string> names_;
    const bool match_;
    const std::int64_t now_;
    config::Errors& warnings_;
};

}  // namespace

void check_certificates(const json::Value& value, bool check_match, std::int64_t now, config::Errors& errors,
                        config::Errors& warnings) {
    const config::Ssl ssl = config::read_ssl(value);
    std::string refusal = CertificateCheck(ssl, check_match, now, warnings).run();
    if (!refusal.empty()) errors.add(std::move(refusal));
}

}  // namespace gateway::sources
