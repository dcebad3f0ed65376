#include "libgateway/config/static_config.hpp"

#include <sys/stat.h>

#include <map>

#include "libgateway/config/read_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/golden.hpp"

using namespace gateway;
using namespace gateway::config;
using namespace std::chrono_literals;

namespace {
Environment variables(std::map<std::string, std::string> known = {}) {
    return [known = std::move(known)](const std::string& name) -> std::optional<std::string> {
        const auto found = known.find(name);
        return found == known.end() ? std::nullopt : std::optional(found->second);
    };
}
StaticConfig read_good(std::string_view text, const Environment& environment = variables()) {
    Diagnostics diagnostics;
    StaticConfig config = read_static(text, {"/etc/gw/gateway.yaml", false}, environment, diagnostics);
    REQUIRE(diagnostics.text() == "");
    return config;
}
}  // namespace

TEST_CASE("static file: golden cases say exactly what is expected", "[config][static]") {
    const auto cases = test::golden_cases("static_");
    REQUIRE(cases.size() >= 6);
    for (const auto& one : cases) {
        Diagnostics diagnostics;
        read_static(one.input, {"gateway.yaml", false}, variables(), diagnostics);
        diagnostics.sort();
        INFO(one.name);
        CHECK(diagnostics.text() == one.expected);
    }
}

TEST_CASE("static file: an empty one gives the defaults", "[config][static]") {
    const StaticConfig config = read_good("");
    REQUIRE(config.apisix.node_listen.list.size() == 1);
    REQUIRE(config.apisix.node_listen.list[0].port == 9080);
    REQUIRE(config.nginx_config.worker_processes.count == 0);
    REQUIRE(config.nginx_config.worker_shutdown_timeout.value == 240s);
    REQUIRE(config.nginx_config.http.limits.header_size.bytes == 32768);
    REQUIRE(config.nginx_config.http.real_ip_from == std::vector<std::string>{"127.0.0.1", "unix:"});
    REQUIRE(config.apisix.compat.plugin_config_overrides_route);
    REQUIRE_FALSE(config.apisix.status);
    REQUIRE_FALSE(config.plugins);
    REQUIRE(config.deployment.route_file == "/etc/gw/routes.yaml");
}

TEST_CASE("static file: values are read with units and short forms", "[config][static]") {
    const StaticConfig config = read_good(
        "apisix: {node_listen: 8000, status: {port: 0}}\n"
        "nginx_config:\n  worker_processes: 3\n  worker_shutdown_timeout: 1m30s\n"
        "  http: {client_max_body_size: 2g, send_timeout: 250ms, keepalive_timeout: 0.5, underscores_in_headers: "
        "'off',\n"
        "         real_ip_from: ['unix:'], access_log: null, limits: {header_size: 64k}}\n");
    REQUIRE(config.apisix.node_listen.list.at(0).port == 8000);
    REQUIRE(config.apisix.status->ip == "127.0.0.1");
    REQUIRE(config.nginx_config.worker_processes.count == 3);
    REQUIRE(config.nginx_config.worker_shutdown_timeout.value == 90s);
    REQUIRE(config.nginx_config.http.client_max_body_size.bytes == std::uint64_t{2} << 30);
    REQUIRE(config.nginx_config.http.send_timeout.value == 250ms);
    REQUIRE(config.nginx_config.http.keepalive_timeout.value == 500ms);
    REQUIRE_FALSE(config.nginx_config.http.underscores_in_headers.on);
    REQUIRE(config.nginx_config.http.access_log == "/etc/gw/logs/access.log");
    REQUIRE(config.nginx_config.http.limits.header_size.bytes == 65536);
}

TEST_CASE("static file: variables of the environment are substituted and some decide settings", "[config][static]") {
    const auto environment = variables({{"PORT", "8123"}, {"APISIX_WORKER_PROCESSES", "5"}});
    const StaticConfig config =
        read_good("apisix: {node_listen: '${{PORT}}', server_token: '${{T:=edge}}'}", environment);
    REQUIRE(config.apisix.node_listen.list.at(0).port == 8123);
    REQUIRE(config.apisix.server_token == "edge");
    REQUIRE(config.nginx_config.worker_processes.count == 5);
    REQUIRE(read_good("apisix: {enable_dev_mode: true}").nginx_config.worker_processes.count == 1);
}

TEST_CASE("static file: paths are absolute and defaults depend on the place", "[config][static]") {
    const StaticConfig beside = read_good(
        "gateway: {data_dir: state, pid_file: run/pid}\ndeployment: {route_file: r/x.yaml}\n"
        "nginx_config: {error_log: /dev/stderr, http: {access_log: logs/a.log}}");
    REQUIRE(beside.gateway.data_dir == "/etc/gw/state");
    REQUIRE(beside.gateway.socket == "/etc/gw/state/gateway.sock");
    REQUIRE(beside.gateway.pid_file == "/etc/gw/run/pid");
    REQUIRE(beside.deployment.route_file == "/etc/gw/r/x.yaml");
    REQUIRE(beside.nginx_config.error_log == "stderr");
    REQUIRE(beside.nginx_config.http.access_log == "/etc/gw/logs/a.log");
    const StaticConfig service = read_good(
        "", variables({{"STATE_DIRECTORY", "/s"}, {"RUNTIME_DIRECTORY", "/r:/r2"}, {"LOGS_DIRECTORY", "/l"}}));
    REQUIRE(service.gateway.data_dir == "/s");
    REQUIRE(service.gateway.socket == "/r/gateway.sock");
    REQUIRE(service.nginx_config.error_log == "/l/error.log");
    Diagnostics diagnostics;
    const StaticConfig root = read_static("", {"/etc/gw/gateway.yaml", true}, variables(), diagnostics);
    REQUIRE(root.gateway.data_dir == "/var/lib/gateway");
    REQUIRE(root.nginx_config.error_log == "/var/log/gateway/error.log");
}

TEST_CASE("static file: what workers receive reads back the same", "[config][static]") {
    const StaticConfig config = read_good(
        "apisix: {node_listen: [{port: 1, ip: '[::1]'}, 2], status: {}}\nplugins: []\n"
        "nginx_config: {http: {send_timeout: 1500ms}}\nplugin_attr: {a: {b: [1]}}");
    const std::string text = encode_static(config);
    REQUIRE(encode_static(decode_static(text)) == text);
    REQUIRE(decode_static(text).apisix.node_listen.list[0].ip == "::1");
    REQUIRE(decode_static(text).plugins->empty());
    REQUIRE_THROWS_AS(decode_static("{"), Error);
    REQUIRE_THROWS_AS(decode_static(R"({"nothing":1})"), Error);
}

TEST_CASE("static file: keys are read as a list or one, and workers do not get them", "[config][static]") {
    const StaticConfig one = read_good("apisix: {data_encryption: {keyring: edd1c9f0985e76a1}}");
    REQUIRE(one.apisix.data_encryption.keyring->keys == std::vector<std::string>{"edd1c9f0985e76a1"});
    const StaticConfig config = read_good(
        "apisix: {data_encryption: {keyring: [edd1c9f0985e76a1, 0123456789abcdef0123456789ABCDEF, 1234567890123456],"
        "format: reference, enable_encrypt_fields: false}}");
    REQUIRE(config.apisix.data_encryption.keyring->keys.size() == 3);
    REQUIRE(config.apisix.data_encryption.keyring->keys[2] == "1234567890123456");
    REQUIRE(config.apisix.data_encryption.format == "reference");
    const std::string text = encode_static(config);
    REQUIRE(text.find("76a1") == std::string::npos);
    REQUIRE(decode_static(text).apisix.data_encryption.keyring->withheld);
    REQUIRE(encode_static(decode_static(text)) == text);
    REQUIRE_FALSE(read_good("").apisix.data_encryption.keyring);
    REQUIRE(read_good("apisix: {data_encryption: {keyring: []}}").apisix.data_encryption.keyring->keys.empty());
    REQUIRE_FALSE(decode_static(encode_static(read_good(""))).apisix.data_encryption.keyring);
}

TEST_CASE("static file: what is wrong with a key is said without it", "[config][static]") {
    for (const char* text :
         {"apisix: {data_encryption: {keyring: [my-short-secret]}}",
          "apisix: {data_encryption: {keyring: [[my-short-secret]]}}",
          "apisix: {data_encryption: {keyring: {k: my-short-secret}}}",
          "apisix: {data_encryption: {keyring: my-short-secret}}", "apisix: {data_encryption: {keyring: true}}"}) {
        INFO(text);
        Diagnostics diagnostics;
        read_static(text, {"/etc/gw/gateway.yaml", false}, variables(), diagnostics);
        CHECK(diagnostics.errors() == 1);
        CHECK(diagnostics.text().find("apisix.data_encryption.keyring") != std::string::npos);
        CHECK(diagnostics.text().find("my-short-secret") == std::string::npos);
    }
}

TEST_CASE("static file: the salt of old releases is a key that only decrypts", "[config][static]") {
    Diagnostics diagnostics;
    const StaticConfig config = read_static("apisix: {ssl: {key_encrypt_salt: [edd1c9f0985e76a2, edd1c9f0985e76a1]}}",
                                            {"/etc/gw/gateway.yaml", false}, variables(), diagnostics);
    REQUIRE(diagnostics.ok());
    REQUIRE(diagnostics.text().find("new ones go to apisix.data_encryption.keyring") != std::string::npos);
    REQUIRE(config.apisix.data_encryption.key_encrypt_salt->keys.size() == 2);
}

TEST_CASE("static file: etcd is the source when it is named, by old releases too", "[config][static]") {
    const auto text = GENERATE("deployment: {etcd: {host: 'http://foo:2379'}}", "etcd: {host: ['http://foo:2379']}",
                               "deployment: {role: data_plane, role_data_plane: {config_provider: etcd}, "
                               "etcd: {host: ['http://foo:2379']}}");
    Diagnostics diagnostics;
    const StaticConfig config = read_static(text, {"/etc/gw/gateway.yaml", false}, variables(), diagnostics);
    REQUIRE(diagnostics.ok());
    CHECK(config.etcd_provider());
    CHECK_FALSE(config.local_provider());
    CHECK(config.deployment.etcd->host.list == std::vector<std::string>{"http://foo:2379"});
    CHECK(config.deployment.etcd->prefix == "/apisix");
    CHECK(config.deployment.etcd->watch_timeout.value == 50s);
}

TEST_CASE("static file: role traditional with provider yaml is standalone API mode", "[config][static]") {
    Diagnostics diagnostics;
    const StaticConfig config =
        read_static("deployment: {role_traditional: {config_provider: yaml}, admin: {standalone_snapshot: kept}}",
                    {"/etc/gw/gateway.yaml", false}, variables(), diagnostics);
    REQUIRE(diagnostics.list().empty());
    CHECK(config.standalone_api());
    CHECK(config.admin_api());
    CHECK_FALSE(config.local_provider());
    CHECK(config.deployment.admin.standalone_snapshot == "/etc/gw/kept");
    const StaticConfig file = read_static("deployment: {role: data_plane, role_data_plane: {config_provider: yaml}}",
                                          {"/etc/gw/gateway.yaml", false}, variables(), diagnostics);
    CHECK_FALSE(file.standalone_api());
    CHECK_FALSE(file.admin_api());
}

TEST_CASE("static file: a variable replaces the members of etcd", "[config][static]") {
    Diagnostics diagnostics;
    const StaticPlace place{"/etc/gw/gateway.yaml", false};
    const std::string text = "deployment: {role_traditional: {config_provider: etcd}}";
    const auto with = [&](const char* hosts) {
        return read_static(text, place, variables({{"APISIX_DEPLOYMENT_ETCD_HOST", hosts}}), diagnostics);
    };
    CHECK(with(R"(["http://a:1","http://b:2"])").deployment.etcd->host.list.size() == 2);
    REQUIRE(diagnostics.ok());
    (void)with("http://a:1");
    CHECK(diagnostics.text() ==
          "/etc/gw/gateway.yaml: error: APISIX_DEPLOYMENT_ETCD_HOST: expected a JSON array of URLs\n");
}

TEST_CASE("static file: workers never see the password of etcd", "[config][static]") {
    Diagnostics diagnostics;
    const StaticConfig config = read_static("deployment: {etcd: {user: gw, password: s3cret, tls: {ca: ca.pem}}}",
                                            {"/etc/gw/gateway.yaml", false}, variables(), diagnostics);
    REQUIRE(diagnostics.ok());
    CHECK(config.deployment.etcd->password.text == "s3cret");
    CHECK(config.deployment.etcd->tls.ca == "/etc/gw/ca.pem");
    const std::string sent = encode_static(config);
    CHECK(sent.find("s3cret") == std::string::npos);
    CHECK(decode_static(sent).deployment.etcd->password.withheld);
}

TEST_CASE("static file: the default name follows the profile", "[config][static]") {
    REQUIRE(default_static_file(variables()) == "/etc/gateway/gateway.yaml");
    REQUIRE(default_static_file(variables({{"APISIX_PROFILE", "dev"}})) == "/etc/gateway/gateway-dev.yaml");
    REQUIRE(default_static_file(variables({{"APISIX_PROFILE", "a"}, {"GATEWAY_PROFILE", "b"}})) ==
            "/etc/gateway/gateway-b.yaml");
}

TEST_CASE("static file: one that cannot be read is an error with its reason", "[config][static]") {
    Diagnostics diagnostics;
    load_static({"/nonexistent/gateway.yaml", false}, variables(), diagnostics);
    REQUIRE(diagnostics.text() == "/nonexistent/gateway.yaml: error: cannot be read: No such file or directory\n");
    REQUIRE(why_unreadable("/", EACCES).find("Permission denied (owner root, mode 0") == 0);
    std::string text;
    REQUIRE(read_file("/", text) == EISDIR);
    REQUIRE(read_file("/proc/self/status", text, 10) == EFBIG);
}

TEST_CASE("static file: durations and sizes are exact", "[config][static]") {
    REQUIRE(parse_duration("1h30m") == 90min);
    REQUIRE(parse_duration("1d") == 24h);
    REQUIRE_FALSE(parse_duration(""));
    REQUIRE_FALSE(parse_duration("5x"));
    REQUIRE_FALSE(parse_duration("s"));
    REQUIRE_FALSE(parse_duration("99999999999999999999s"));
    REQUIRE_FALSE(parse_duration("-1s"));
    REQUIRE(parse_size("10K") == 10240);
    REQUIRE_FALSE(parse_size("1.5m"));
    REQUIRE_FALSE(parse_size("k"));
    REQUIRE_FALSE(parse_size("9999999999999999999g"));
    REQUIRE_FALSE(parse_size("1kb"));
}

TEST_CASE("static file: its reference page has a row for every key", "[config][static]") {
    std::string page;
    REQUIRE(read_file(GATEWAY_SOURCE_DIR "/docs/static-file.md", page) == 0);
    for (const Row& row : table_of(StaticConfig::schema).rows()) {
        INFO(row.name);
        CHECK(page.find("| `" + row.name + "` |") != std::string::npos);
    }
}
