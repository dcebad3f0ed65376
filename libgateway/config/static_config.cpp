#include "libgateway/config/static_config.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

#include "libgateway/base/strings.hpp"
#include "libgateway/config/read_file.hpp"
#include "libgateway/config/static_keys.hpp"
#include "libgateway/config/static_paths.hpp"
#include "libgateway/config/yaml_reader.hpp"

namespace gateway::config {

namespace {

// Reader of one static file: holds what every step needs.
// Of the reference's 2.x releases, never a default here.
constexpr std::string_view well_known_key = "edd1c9f034335f136f87ad84b625c8f1";

class Reader {
public:
    Reader(const StaticPlace& place, const Environment& environment, Diagnostics& diagnostics)
        : place_(place), environment_(environment), diagnostics_(diagnostics) {}

    StaticConfig read(std::string_view text) {
        StaticConfig config;
        auto file = parse(text);
        if (!file) return config;
        prepare(*file);
        Errors errors;
        config::read(*file, config, errors);
        for (const Finding& finding : errors.findings()) report(finding);
        settle(config, *file);
        check(config);
        resolve_paths(config, place_, environment_);
        check_lengths(config);
        return config;
    }

private:
    std::optional<json::Value> parse(std::string_view text) {
        json::ParseFailure why;
        auto file = try_read_yaml(text, why);
        if (!file) {
            diagnostics_.error(place_.file, why.where, "", "failed to parse yaml config: " + why.what);
            return std::nullopt;
        }
        if (file->is_null()) file->make_object();
        if (file->is_object()) return file;
        diagnostics_.error(place_.file, file->where, "",
                           "wrong type: expected object, got " + std::string(reference_type(*file)));
        return std::nullopt;
    }

    void prepare(json::Value& file) {
        Errors errors;
        substitute_values(file, environment_, errors);
        diagnostics_.add(errors, place_.file, "");
        drop_nulls(file);
        note_etcd(file);
        take_known_keys(file, place_.file, diagnostics_);
    }
    // null removes a default; every default here is what an absent key means.
    static void drop_nulls(json::Value& value) {
        if (!value.is_object()) return;
        std::erase_if(value.make_object(), [](const json::Member& member) { return member.value.is_null(); });
        for (json::Member& member : value.make_object()) drop_nulls(member.value);
    }
    // Where old releases have it; deployment.etcd wins if there are both.
    void note_etcd(json::Value& file) {
        json::Value settings;
        for (json::Member& member : file.make_object()) {
            if (member.key != "etcd") continue;
            diagnostics_.warning(place_.file, member.where, "",
                                 "the top-level key etcd is of old releases; it is taken as deployment.etcd");
            settings = std::move(member.value);
        }
        if (settings.is_null()) return;
        file.erase("etcd");
        json::Value* deployment = file.find("deployment");
        if (!deployment) deployment = &file.set("deployment", json::Value::object());
        if (deployment->is_object() && !deployment->find("etcd")) deployment->set("etcd", std::move(settings));
    }

    void report(const Finding& finding) {
        Diagnostic out{Severity::error, place_.file, finding.where, {}, finding.field, {}, finding.hint};
        constexpr std::string_view unknown = "additional properties forbidden, found ", type = "wrong type: expected ";
        const std::string_view message = finding.message;
        if (message.starts_with(unknown)) {
            out.message = "unknown key " + std::string(message.substr(unknown.size()));
        } else if (message.starts_with(type)) {
            out.message = mismatch(finding.field, message.substr(type.size()));
        } else {
            out.message = "failed to validate config: " + finding.message;
        }
        diagnostics_.add(std::move(out));
    }
    // "integer, got string" becomes the text of the reference's merge.
    static std::string mismatch(std::string_view field, std::string_view types) {
        const std::size_t comma = types.find(", got ");
        std::string_view expected = types.substr(0, comma);
        if (expected == "integer") expected = "number";
        if (expected == "object" || expected == "array") expected = "table";
        std::string path(field);
        for (std::size_t dot; (dot = path.find('.')) != std::string::npos;) path.replace(dot, 1, "->");
        std::string text = "failed to merge, path[" + path + "] expect: ";
        return text.append(expected).append(", but got: ").append(types.substr(comma + 6));
    }

    void fail(std::string_view field, std::string message) {
        diagnostics_.add({Severity::error, place_.file, {}, {}, std::string(field), std::move(message), {}});
    }

    void warn(std::string_view field, std::string message) {
        diagnostics_.add({Severity::warning, place_.file, {}, {}, std::string(field), std::move(message), {}});
    }

    // Rules that make one setting follow from another.
    void settle(StaticConfig& config, const json::Value& file) {
        if (const auto workers = environment_("APISIX_WORKER_PROCESSES")) {
            Errors errors;
            Codec<WorkerCount>::read(json::Value(*workers), config.nginx_config.worker_processes, {}, errors);
            if (!errors.empty()) fail("APISIX_WORKER_PROCESSES", std::string(errors.first()));
        }
        if (config.apisix.enable_dev_mode) {
            config.nginx_config.worker_processes.count = 1;
            config.apisix.enable_reuseport = false;
        }
        settle_etcd(config);
        const json::Value* deployment = file.find("deployment");
        const bool named = deployment && deployment->find("route_file");
        if (config.json_routes() && !named) config.deployment.route_file = "routes.json";
    }

    void settle_etcd(StaticConfig& config) {
        DeploymentSection& deployment = config.deployment;
        ProviderSettings& provider =
            deployment.role == "data_plane" ? deployment.role_data_plane : deployment.role_traditional;
        if (!provider.config_provider && deployment.etcd) provider.config_provider = "etcd";
        if (!config.etcd_provider()) return;
        if (!deployment.etcd) deployment.etcd.emplace();
        const auto hosts = environment_("APISIX_DEPLOYMENT_ETCD_HOST");
        if (!hosts) return;
        json::ParseFailure why;
        const auto list = json::try_parse(*hosts, why);
        Errors errors;
        if (!list || !list->is_array()) return fail("APISIX_DEPLOYMENT_ETCD_HOST", "expected a JSON array of URLs");
        Codec<MemberUrls>::read(*list, deployment.etcd->host, {}, errors);
        if (!errors.empty()) fail("APISIX_DEPLOYMENT_ETCD_HOST", std::string(errors.first()));
    }

    void check(const StaticConfig& config) {
        const EncryptionSettings& encryption = config.apisix.data_encryption;
        const auto withheld = [](const std::optional<KeyTexts>& keys) { return keys && keys->withheld; };
        if (withheld(encryption.keyring) || withheld(encryption.key_encrypt_salt)) {
            fail("apisix.data_encryption.keyring", mismatch("apisix.data_encryption.keyring", "array, got boolean"));
        }
        if (config.apisix.proxy_mode != "http") {
            fail("apisix.proxy_mode", "\"" + config.apisix.proxy_mode + "\" is not supported by this build");
        }
        if (config.apisix.proxy_protocol.listen_https_port) {
            fail("apisix.proxy_protocol.listen_https_port", "not supported by this build");
        }
        check_provider(config.deployment);
        check_admin(config);
        check_listeners(config);
    }
    void check_provider(const DeploymentSection& deployment) {
        if (deployment.role == "control_plane") {
            return fail("deployment.role", "\"control_plane\" is not supported by this build");
        }
        const bool alone = deployment.role == "data_plane";
        const ProviderSettings& settings = alone ? deployment.role_data_plane : deployment.role_traditional;
        const std::string provider = settings.config_provider.value_or("local");
        const std::string field = std::string("deployment.role_") + deployment.role + ".config_provider";
        if (provider == "xds") fail(field, "\"" + provider + "\" is not supported by this build");
        if (!alone && provider == "json") fail(field, "\"json\" needs role data_plane");
        if (!deployment.admin.standalone_snapshot.empty() && (alone || provider != "yaml"))
            warn("deployment.admin.standalone_snapshot", "it has no effect: only standalone API mode has a snapshot");
    }
    void check_admin(const StaticConfig& config) {
        const AdminSettings& admin = config.deployment.admin;
        const AdminTls& tls = admin.admin_api_mtls;
        if (admin.https_admin && (tls.admin_ssl_cert.empty() || tls.admin_ssl_cert_key.empty()))
            fail("deployment.admin.https_admin", "it needs admin_api_mtls.admin_ssl_cert and .admin_ssl_cert_key");
        if (admin.admin_key && admin.admin_key->withheld)
            fail("deployment.admin.admin_key", mismatch("deployment.admin.admin_key", "array, got boolean"));
        for (const AdminKey& key : admin.admin_key ? admin.admin_key->list : std::vector<AdminKey>()) {
            if (key.key.empty() && key.role == "viewer")
                fail("deployment.admin.admin_key", "the viewer \"" + key.name + "\" has no key");
            if (key.key == well_known_key)
                warn("deployment.admin.admin_key",
                     "the key of \"" + key.name + "\" is published in old documentation: everybody knows it");
        }
        const bool shared = config.apisix.compat.admin_on_node_listen;
        if (shared && (admin.https_admin || (admin.admin_listen && admin.admin_listen->port == 0)))
            fail("apisix.compat.admin_on_node_listen", "it needs an admin_listen with a port, and without https_admin");
        if (!config.admin_api()) return;
        if (!admin.admin_key_required)
            warn("deployment.admin.admin_key_required",
                 "Admin key is bypassed! Whoever reaches the Admin API may change everything");
        if (admin.admin_listen && !is_loopback(admin.admin_listen->ip) && !admin.https_admin)
            warn("deployment.admin.admin_listen",
                 "the Admin API is reached from other machines without TLS: its keys can be read on the way");
    }
    static bool is_loopback(std::string_view ip) noexcept { return ip.starts_with("127.") || ip == "::1"; }

    void check_listeners(const StaticConfig& config) {
        const ApisixSection& apisix = config.apisix;
        std::set<std::pair<std::string, int>> seen;
        std::vector<Listener> all = apisix.node_listen.list;
        for (const TlsListener& one : apisix.ssl.listeners()) all.push_back({one.ip, one.name, one.port, true});
        if (apisix.proxy_protocol.listen_http_port)
            all.push_back({"", "", *apisix.proxy_protocol.listen_http_port, true});
        if (apisix.status) all.push_back({apisix.status->ip, "", apisix.status->port, true});
        const auto& admin = config.deployment.admin.admin_listen;
        if (config.admin_api() && admin) all.push_back({admin->ip, "", admin->port, true});
        for (const Listener& listener : all) {
            if (listener.port == 0 || seen.emplace(listener.ip, listener.port).second) continue;
            const std::string ip = listener.ip.empty() ? "all addresses" : listener.ip;
            fail("apisix.node_listen", "port " + std::to_string(listener.port) + " of " + ip + " is configured twice");
        }
    }
    void check_lengths(const StaticConfig& config) {
        if (config.gateway.socket.size() > 107) {
            fail("gateway.socket", "a socket's path has at most 107 bytes: " + config.gateway.socket);
        }
    }

    const StaticPlace& place_;
    const Environment& environment_;
    Diagnostics& diagnostics_;
};

}  // namespace

std::vector<TlsListener> SslSection::listeners() const {
    if (!enable.value_or(listen.has_value())) return {};
    return listen ? listen->list : std::vector<TlsListener>{{"", "", 9443, false}};
}

std::vector<std::string_view> SslSection::protocols() const {
    std::vector<std::string_view> words;
    for_each_item(ssl_protocols, ' ', [&words](std::string_view word) { words.push_back(word); });
    return words;
}

void SslSection::check(const SslSection& ssl, Errors& errors) {
    const std::vector<std::string_view> words = ssl.protocols();
    if (words.empty()) errors.add_member("ssl_protocols", {}, "expected at least one version");
    for (const std::string_view word : words) {
        if (word == "TLSv1.1" || word == "TLSv1.2" || word == "TLSv1.3") continue;
        errors.add_member("ssl_protocols", {},
                          "unknown version \"" + std::string(word) + "\", expected TLSv1.1, TLSv1.2 or TLSv1.3");
    }
}

void LimitSettings::check(const LimitSettings& limits, Errors& errors) {
    const auto bounded = [&errors](std::string_view name, const ByteSize& size) {
        if (size.bytes >= 1024 && size.bytes <= (1u << 20)) return;
        errors.add_member(name, {}, "expected 1k to 1m, got " + std::to_string(size.bytes));
    };
    bounded("header_size", limits.header_size);
    bounded("single_header_size", limits.single_header_size);
    bounded("uri_size", limits.uri_size);
}

bool StaticConfig::json_routes() const noexcept {
    return deployment.role == "data_plane" && deployment.role_data_plane.config_provider == "json";
}

bool StaticConfig::local_provider() const noexcept {
    return deployment.role == "traditional" && deployment.role_traditional.config_provider.value_or("local") == "local";
}

bool StaticConfig::etcd_provider() const noexcept {
    const ProviderSettings& used =
        deployment.role == "data_plane" ? deployment.role_data_plane : deployment.role_traditional;
    return used.config_provider == "etcd";
}

bool StaticConfig::standalone_api() const noexcept {
    return deployment.role == "traditional" && deployment.role_traditional.config_provider == "yaml";
}

bool StaticConfig::admin_api() const noexcept {
    return apisix.enable_admin && (local_provider() || etcd_provider() || standalone_api());
}

StaticConfig read_static(std::string_view text, const StaticPlace& place, const Environment& environment,
                         Diagnostics& diagnostics) {
    return Reader(place, environment, diagnostics).read(text);
}

StaticConfig load_static(const StaticPlace& place, const Environment& environment, Diagnostics& diagnostics) {
    std::string text;
    if (const int error = read_file(place.file, text)) {
        diagnostics.error(place.file, {}, "", "cannot be read: " + why_unreadable(place.file, error));
        return {};
    }
    return read_static(text, place, environment, diagnostics);
}

std::string encode_static(const StaticConfig& config) {
    return json::write(write(config));
}

StaticConfig decode_static(std::string_view text) {
    json::ParseFailure why;
    const auto value = json::try_parse(text, why, {.positions = false});
    if (!value) throw Error(why.what);
    StaticConfig config;
    Errors errors;
    read(*value, config, errors);
    errors.throw_if_any();
    return config;
}

}  // namespace gateway::config
