#include "libgateway/proxy/tls_variables.hpp"

#include "libgateway/tls/accept.hpp"

namespace gateway::proxy {

namespace {

std::string_view verified(const tls::Established& client, Arena& arena) {
    if (!client.client_showed_certificate()) return "NONE";
    const std::string_view why = client.client_refusal();
    return why.empty() ? "SUCCESS" : arena.join("FAILED:", why);
}

}  // namespace

std::optional<std::string_view> read_tls_variable(const Session& session, std::string_view key, Arena& arena) {
    if (!session.secure()) return std::nullopt;
    const tls::Established client(session.stream());
    const auto kept = [&arena](const std::string& text) -> std::optional<std::string_view> {
        if (text.empty()) return std::nullopt;
        return arena.copy(text);
    };
    if (key == "protocol") return client.protocol();
    if (key == "cipher") return client.cipher();
    if (key == "session_reused") return client.resumed() ? "r" : ".";
    if (key == "server_name" && !client.name().empty()) return client.name();
    if (key == "alpn_protocol") return kept(client.chosen_protocol());
    if (key == "client_verify") return verified(client, arena);
    if (key == "client_s_dn") return kept(client.client_facts().subject);
    if (key == "client_i_dn") return kept(client.client_facts().issuer);
    if (key == "client_serial") return kept(client.client_facts().serial);
    if (key == "client_fingerprint") return kept(client.client_facts().fingerprint);
    return std::nullopt;
}

}  // namespace gateway::proxy
