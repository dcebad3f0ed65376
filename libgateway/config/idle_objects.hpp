// Protos, stream routes and secret managers as they are written. They are checked and kept; no traffic reads them yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/config/object_parts.hpp"
#include "libgateway/config/upstream_object.hpp"

namespace gateway::config {

// What `content` says is checked by sources/proto_content.
struct Proto {
    std::optional<ObjectId> id;
    std::string name, desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    std::string content;

    static constexpr auto schema =
        fields(field("id", &Proto::id, "name of the object"), field("name", &Proto::name, "for people", length(1, 256)),
               field("desc", &Proto::desc, "for people", length(0, 256)), field("labels", &Proto::labels, "free marks"),
               field("create_time", &Proto::create_time, "no effect in files"),
               field("update_time", &Proto::update_time, "no effect in files"),
               field("content", &Proto::content, "text of a .proto file, or a compiled descriptor set in base64",
                     required, length(1, 1 << 20)))
            .closed();
};

struct StreamLogger {
    std::optional<std::string> name;
    RawArray filter;
    RawObject conf;
    static constexpr auto schema = fields(field("name", &StreamLogger::name, "its plugin"),
                                          field("filter", &StreamLogger::filter, "which sessions"),
                                          field("conf", &StreamLogger::conf, "its settings"))
                                       .depends("name", "conf")
                                       .closed();
};
struct StreamProtocol {
    std::string name;
    std::optional<ObjectId> superior_id;
    RawObject conf;
    std::vector<StreamLogger> logger;
    static constexpr auto schema =
        fields(field("name", &StreamProtocol::name, "its module", required),
               field("superior_id", &StreamProtocol::superior_id, "stream route whose sessions come here"),
               field("conf", &StreamProtocol::conf, "settings of the module"),
               field("logger", &StreamProtocol::logger, "who is told of a session"));
};
// Of `plugins` only that it is an object: this build has none for streams.
struct StreamRoute {
    std::optional<ObjectId> id;
    std::string name, desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    std::optional<std::string> remote_addr, server_addr, sni;
    std::optional<std::uint16_t> server_port;
    std::optional<Upstream> upstream;
    std::optional<ObjectId> upstream_id, service_id;
    RawObject plugins;
    std::optional<StreamProtocol> protocol;

    static constexpr auto schema =
        fields(field("id", &StreamRoute::id, "name of the object"),
               field("name", &StreamRoute::name, "for people", length(1, 256)),
               field("desc", &StreamRoute::desc, "for people", length(0, 256)),
               field("labels", &StreamRoute::labels, "free marks"),
               field("create_time", &StreamRoute::create_time, "no effect in files"),
               field("update_time", &StreamRoute::update_time, "no effect in files"),
               field("remote_addr", &StreamRoute::remote_addr, "client address or network",
                     pattern("IPv4 or IPv6 address or network", is_network)),
               field("server_addr", &StreamRoute::server_addr, "local address or network",
                     pattern("IPv4 or IPv6 address or network", is_network)),
               field("server_port", &StreamRoute::server_port, "local port", range(1, 65535)),
               field("sni", &StreamRoute::sni, "name that TLS asks for", pattern(host_pattern, is_host_pattern)),
               field("upstream", &StreamRoute::upstream, "where sessions go"),
               field("upstream_id", &StreamRoute::upstream_id, "beats `upstream`"),
               field("service_id", &StreamRoute::service_id, "service that adds plugins and upstream"),
               field("plugins", &StreamRoute::plugins, "name to settings"),
               field("protocol", &StreamRoute::protocol, "what is spoken"))
            .closed();
};

inline constexpr std::string_view manager_uri_pattern = R"(^[^\/]+:\/\/([\da-zA-Z.-]+|\[[\da-fA-F:]+\])(:\d+)?)";
bool is_manager_uri(std::string_view text) noexcept;

// Further members of a manager are kept as they are.
struct VaultManager {
    std::string uri, prefix, token;
    std::optional<std::string> name_space;
    static constexpr auto schema =
        fields(field("uri", &VaultManager::uri, "where it is", required, pattern(manager_uri_pattern, is_manager_uri)),
               field("prefix", &VaultManager::prefix, "path in front of a secret", required),
               field("token", &VaultManager::token, "its key", required, encrypted),
               field("namespace", &VaultManager::name_space, "sent as X-Vault-Namespace"));
};
struct AwsManager {
    std::string access_key_id, secret_access_key, region = "us-east-1";
    std::optional<std::string> session_token, endpoint_url;
    static constexpr auto schema =
        fields(field("access_key_id", &AwsManager::access_key_id, "name of the key", required),
               field("secret_access_key", &AwsManager::secret_access_key, "the key", required, encrypted),
               field("session_token", &AwsManager::session_token, "of a session", encrypted),
               field("region", &AwsManager::region, "where it is"),
               field("endpoint_url", &AwsManager::endpoint_url, "default: that of the service",
                     pattern(manager_uri_pattern, is_manager_uri)));
};
struct GcpAccount {
    std::string client_email, private_key, project_id, token_uri = "https://oauth2.googleapis.com/token",
                                                       entries_uri = "https://secretmanager.googleapis.com/v1";
    std::vector<std::string> scope{"https://www.googleapis.com/auth/cloud-platform"};
    static constexpr auto schema =
        fields(field("client_email", &GcpAccount::client_email, "name of the account", required),
               field("private_key", &GcpAccount::private_key, "its key", required, encrypted),
               field("project_id", &GcpAccount::project_id, "project of the secrets", required),
               field("token_uri", &GcpAccount::token_uri, "where tokens come from"),
               field("entries_uri", &GcpAccount::entries_uri, "where secrets come from"),
               field("scope", &GcpAccount::scope, "what a token is for"));
};
struct GcpManager {
    std::optional<GcpAccount> auth_config;
    std::optional<std::string> auth_file;
    bool ssl_verify = true;
    static constexpr auto schema = fields(field("auth_config", &GcpManager::auth_config, "a service account"),
                                          field("auth_file", &GcpManager::auth_file, "file of a service account"),
                                          field("ssl_verify", &GcpManager::ssl_verify, "check the certificate"))
                                       .exactly_one("auth_config", "auth_file");
};

// The parts of "vault/1"; nothing if that is no id of a secret. Views into the text.
struct SecretName {
    std::string_view manager, id;
};
std::optional<SecretName> secret_name(std::string_view object_id) noexcept;
bool is_secret_manager(std::string_view name) noexcept;
// Of the managers vault, aws and gcp; of others there is none.
SchemaTable secret_schema(std::string_view manager);

}  // namespace gateway::config
