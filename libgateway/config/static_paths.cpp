#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "libgateway/config/static_config.hpp"
#include "libgateway/config/static_paths.hpp"

namespace gateway::config {

namespace {

using std::filesystem::path;

// systemd gives a list when several directories are set; the first is ours.
std::string first_directory(const Environment& environment, const char* name) {
    const std::string list = environment(name).value_or("");
    return list.substr(0, list.find(':'));
}

path beside(const path& directory, const std::string& name) {
    return (path(name).is_absolute() ? path(name) : directory / name).lexically_normal();
}

std::string log_target(const std::string& name, const path& logs) {
    if (name == "stdout" || name == "/dev/stdout") return "stdout";
    if (name == "stderr" || name == "/dev/stderr") return "stderr";
    const std::string_view prefix = "logs/";
    return beside(logs, name.starts_with(prefix) ? name.substr(prefix.size()) : name).string();
}

}  // namespace

void resolve_paths(StaticConfig& config, const StaticPlace& place, const Environment& environment) {
    const path directory = std::filesystem::absolute(place.file).parent_path();
    const auto choose = [&](const char* variable, const char* for_root, const char* else_beside) {
        const std::string given = first_directory(environment, variable);
        if (!given.empty()) return path(given);
        return place.root ? path(for_root) : beside(directory, else_beside);
    };
    GatewaySection& own = config.gateway;
    const path data = own.data_dir.empty() ? choose("STATE_DIRECTORY", "/var/lib/gateway", "data") : path(own.data_dir);
    own.data_dir = beside(directory, data.string()).string();
    const std::string run = first_directory(environment, "RUNTIME_DIRECTORY");
    if (own.socket.empty()) own.socket = (path(run.empty() ? own.data_dir : run) / "gateway.sock").string();
    own.socket = beside(directory, own.socket).string();
    if (!own.pid_file.empty()) own.pid_file = beside(directory, own.pid_file).string();
    if (!own.plugins_dir.empty()) own.plugins_dir = beside(directory, own.plugins_dir).string();
    if (config.deployment.etcd) {
        EtcdTlsSettings& tls = config.deployment.etcd->tls;
        for (std::string* file : {&tls.ca, &tls.cert, &tls.key}) {
            if (!file->empty()) *file = beside(directory, *file).string();
        }
    }
    std::string& store = config.deployment.local.path;
    store = store.empty() ? (path(own.data_dir) / "store.db").string() : beside(directory, store).string();
    const path logs = choose("LOGS_DIRECTORY", "/var/log/gateway", "logs");
    config.nginx_config.error_log = log_target(config.nginx_config.error_log, logs);
    config.nginx_config.http.access_log = log_target(config.nginx_config.http.access_log, logs);
    AdminTls& tls = config.deployment.admin.admin_api_mtls;
    for (std::string* file : {&tls.admin_ssl_cert, &tls.admin_ssl_cert_key, &tls.admin_ssl_ca_cert}) {
        if (!file->empty()) *file = beside(directory, *file).string();
    }
    std::string& snapshot = config.deployment.admin.standalone_snapshot;
    if (!snapshot.empty()) snapshot = beside(directory, snapshot).string();
    config.deployment.route_file = beside(directory, config.deployment.route_file).string();
}

std::string default_static_file(const Environment& environment) {
    std::string profile = environment("GATEWAY_PROFILE").value_or("");
    if (profile.empty()) profile = environment("APISIX_PROFILE").value_or("");
    return "/etc/gateway/gateway" + (profile.empty() ? "" : "-" + profile) + ".yaml";
}

std::string why_unreadable(const std::string& file, int error) {
    std::string text = std::strerror(error);
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return text;
    const passwd* owner = ::getpwuid(status.st_uid);
    char mode[8];
    std::snprintf(mode, sizeof(mode), "%04o", static_cast<unsigned>(status.st_mode & 07777u));
    return text + " (owner " + (owner ? owner->pw_name : std::to_string(status.st_uid)) + ", mode " + mode + ")";
}

}  // namespace gateway::config
