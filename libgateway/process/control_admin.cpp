#include "libgateway/process/control_admin.hpp"

#include <openssl/ssl.h>

#include <algorithm>

#include "libgateway/base/log.hpp"
#include "libgateway/keyring/key_file.hpp"
#include "libgateway/process/control_plugins.hpp"
#include "libgateway/process/control_process.hpp"

namespace gateway::process {

using config::Kind;

namespace {

constexpr std::string_view loading = "the configuration is being loaded";
constexpr std::string_view handing_over = "a new binary is starting: try again when it serves";
constexpr std::string_view no_keyring =
    "encrypted fields cannot be read: the keyring is not known until the static file is good";

// The generated key; empty, and the log says why, if there is none.
std::string generated_key(const config::StaticConfig& settings) try {
    if (settings.gateway.data_dir.empty()) return {};
    const std::string path = settings.gateway.data_dir + "/admin.key";
    auto keys = keyring::read_key_file(path);
    if (!keys) {
        keyring::make_plain_key_file(path);
        log::warn("a key for the Admin API was made: {}", path);
        keys = keyring::read_key_file(path);
    }
    return keys ? keys->front() : std::string();
} catch (const std::exception& error) {
    log::error("the key of the Admin API cannot be used: {}", error.what());
    return {};
}

admin::HttpServer::Tls tls_of(const config::AdminSettings& settings) {
    const config::AdminTls& files = settings.admin_api_mtls;
    auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    tls->use_certificate_chain_file(files.admin_ssl_cert);
    tls->use_private_key_file(files.admin_ssl_cert_key, asio::ssl::context::pem);
    if (files.admin_ssl_ca_cert.empty()) return tls;
    tls->load_verify_file(files.admin_ssl_ca_cert);
    SSL_CTX_set_client_CA_list(tls->native_handle(), SSL_load_client_CA_file(files.admin_ssl_ca_cert.c_str()));
    tls->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    return tls;
}

// False, with a line in the log, if TLS is wanted and cannot be had.
bool read_tls(const config::AdminSettings& settings, admin::HttpServer::Tls& tls) try {
    tls = settings.https_admin ? tls_of(settings) : nullptr;
    return true;
} catch (const std::exception& error) {
    log::error("deployment.admin.admin_api_mtls: the certificate of the Admin API cannot be used: {}", error.what());
    return false;
}

std::string server_token(const config::ApisixSection& apisix) {
    return apisix.enable_server_tokens ? apisix.server_token + "/" GATEWAY_VERSION : apisix.server_token;
}

admin::InnerApi::Settings inner_settings(const Control& control) {
    const config::ApisixSection& apisix = control.catalogue().settings().apisix;
    return {server_token(apisix), apisix.error_page_token};
}

admin::HttpServer::Limits inner_limits() {
    admin::HttpServer::Limits limits;
    limits.body = admin::InnerApi::most_body;
    return limits;
}

json::Value error_row(std::string_view resource, const json::Value& id, const std::string& error, std::int64_t since) {
    return json::Value::object(
        {{"resource", json::Value(resource)}, {"id", id}, {"error", json::Value(error)}, {"since", time_text(since)}});
}

// Items that are left out, and the files as a whole where they were refused.
json::Value config_errors(const Control& control) {
    json::Value rows = json::Value::array();
    const ReloadRecord& refused = control.situation().refused;
    for (const std::string& error : refused.errors)
        rows.push(error_row("configuration", json::Value(), error, refused.at_ms));
    for (const Catalogue::LeftOut& one : control.left_out())
        rows.push(error_row(one.resource, json::Value(one.id), one.error, one.since_ms));
    return rows;
}

// The reason if the files were refused.
asio::awaitable<std::string> reload_files(Control& control) {
    if (!control.in_charge()) co_return std::string(handing_over);
    const Control::Outcome outcome = co_await control.reload("Admin API", Catalogue::Files::both);
    if (outcome.status != control::Status::refused || outcome.record.errors.empty()) co_return std::string();
    co_return outcome.record.errors.front();
}

// Workers that lagged before this write are not waited for, and have not adopted it either.
void add_behind(Control& control, store::Written& written) {
    const auto* pages = control.segment() ? control.segment()->zone_as<WorkerPages>(workers_zone) : nullptr;
    for (std::uint32_t i = 0; pages && i < max_workers; ++i) {
        const WorkerPage& page = (*pages)[i];
        const auto pid = static_cast<std::uint32_t>(page.pid.load(std::memory_order_relaxed));
        const auto state = static_cast<WorkerState>(page.state.load(std::memory_order_acquire));
        const bool serves = state == WorkerState::ready || state == WorkerState::lagging;
        const bool behind = page.revision.load(std::memory_order_acquire) < written.revision;
        if (pid == 0 || !serves || !behind || control.revisions().lagging_since(i) == 0) continue;
        const bool named = std::find(written.lagging.begin(), written.lagging.end(), pid) != written.lagging.end();
        if (!named) written.lagging.push_back(pid);
    }
}

}  // namespace

admin::AdminSettings admin_settings(const config::StaticConfig& settings) {
    const config::AdminSettings& given = settings.deployment.admin;
    admin::AdminSettings made;
    made.access.networks = given.allow_admin;
    made.access.key_required = given.admin_key_required;
    const auto keys = given.admin_key ? given.admin_key->list : std::vector<config::AdminKey>{{"admin", "", "admin"}};
    for (const config::AdminKey& key : keys) {
        const bool own = !key.key.empty();
        made.access.keys.push_back({key.name, own ? key.key : generated_key(settings),
                                    key.role == "viewer" ? admin::Role::viewer : admin::Role::admin});
    }
    made.version = given.admin_api_version == "v3" ? admin::Version::v3 : admin::Version::v2;
    made.cors = given.enable_admin_cors;
    made.ui = given.enable_admin_ui;
    made.stream_mode = settings.apisix.proxy_mode != "http";
    made.server_token = server_token(settings.apisix);
    made.page_token = settings.apisix.error_page_token;
    return made;
}

store::StoredPtr CatalogueObjects::find(Kind kind, std::string_view id) const {
    const auto shown = control_.catalogue().find(kind, std::string(id));
    return shown ? shown->object : nullptr;
}

void CatalogueObjects::each(Kind kind, const Each& each) const {
    for (const Catalogue::Shown& shown : control_.catalogue().list(kind)) {
        if (shown.object && !each(shown.object)) return;
    }
}

std::string CatalogueObjects::defined_at(Kind kind, std::string_view id) const {
    const auto shown = control_.catalogue().find(kind, std::string(id));
    return shown ? shown->place : std::string();
}

std::string CatalogueObjects::credential_conflict(std::string_view id, const json::Value& object) const {
    return control_.catalogue().indexes().credentials.conflict(id, object);
}

std::string CatalogueObjects::user_of(Kind kind, std::string_view id, Kind user, sources::Use use) const {
    return control_.catalogue().indexes().references.first_user(kind, id, user, use);
}

sources::CheckRules CatalogueObjects::rules() const {
    const Catalogue& catalogue = control_.catalogue();
    sources::CheckRules rules = rules_for(catalogue.settings(), catalogue.keyring());
    rules.enabled_plugins = enabled_plugins(catalogue.document(), catalogue.settings());
    return rules;
}

std::shared_ptr<const keyring::Keyring> CatalogueObjects::keyring() const {
    const Catalogue& catalogue = control_.catalogue();
    return catalogue.settings().apisix.data_encryption.enable_encrypt_fields ? catalogue.keyring() : nullptr;
}

std::shared_ptr<const keyring::Keyring> CatalogueObjects::key_ring() const {
    return control_.catalogue().keyring();
}

std::string CatalogueObjects::closed() const {
    if (!control_.in_charge()) return std::string(handing_over);
    return std::string(control_.catalogue().keyring() ? "" : no_keyring);
}

std::uint64_t CatalogueObjects::revision() const {
    return control_.revision();
}

std::uint64_t CatalogueObjects::store_revision() const {
    return control_.store_revision();
}

asio::awaitable<store::Written> CatalogueObjects::write(std::vector<store::Edit> edits, store::Author author) {
    store::Written written = co_await control_.write(std::move(edits), std::move(author));
    if (written.status == store::WriteStatus::ok) add_behind(control_, written);
    co_return written;
}

AdminDoor::AdminDoor(Control& control)
    : control_(control),
      objects_(control),
      dashboard_(control),
      whole_(control),
      api_(objects_, admin_settings(control.catalogue().settings()), [&control] { return reload_files(control); }),
      server_(control.loop(),
              {[this](admin::Request request) { return answer(std::move(request)); },
               [this](std::uint64_t size) { return api_.too_large(size); }, [this] { return api_.malformed(); }}) {
    api_.show(dashboard_);
    if (control.catalogue().settings().standalone_api()) api_.stand_alone(whole_);
}

bool AdminDoor::listen(UniqueFd listener) {
    admin::HttpServer::Tls tls;
    if (!read_tls(control_.catalogue().settings().deployment.admin, tls)) return false;
    server_.listen(std::move(listener), std::move(tls));
    return true;
}

// A certificate that cannot be read leaves the one in use.
void AdminDoor::refresh() {
    const config::StaticConfig& settings = control_.catalogue().settings();
    api_.use(admin_settings(settings));
    admin::HttpServer::Tls tls;
    if (read_tls(settings.deployment.admin, tls)) server_.use(std::move(tls));
}

asio::awaitable<admin::Reply> AdminDoor::answer(admin::Request request) {
    struct Busy {
        explicit Busy(unsigned& all) : count(all) { ++count; }
        ~Busy() { --count; }
        unsigned& count;
    } const busy(busy_);
    if (!control_.situation().synchronised) co_return admin::refuse(503, loading);
    admin::Reply reply = co_await api_.answer(std::move(request));
    co_return reply;
}

InnerDoor::InnerDoor(Control& control)
    : control_(control),
      objects_(control),
      api_(
          objects_, inner_settings(control), [&control] { return reload_files(control); },
          [&control] { return config_errors(control); }),
      server_(control.loop(),
              {.request = [this](admin::Request request) { return answer(std::move(request)); },
               .malformed = [this] { return api_.malformed(); }},
              inner_limits()) {}

void InnerDoor::refresh() {
    api_.use(inner_settings(control_));
}

asio::awaitable<admin::Reply> InnerDoor::answer(admin::Request request) {
    if (!control_.situation().synchronised) co_return admin::refuse(503, loading);
    admin::Reply reply = co_await api_.answer(std::move(request));
    co_return reply;
}

// Not before it is known who may come in, and whether in plain text.
void Control::open_doors() {
    if (!static_file_good_ && !situation_.synchronised) return;
    if (admins_) {
        admin_ = std::make_unique<AdminDoor>(*this);
        admin_->listen(std::move(admins_));
    }
    if (!inners_) return;
    inner_ = std::make_unique<InnerDoor>(*this);
    inner_->listen(std::move(inners_));
}

// The static file was read again.
void Control::refresh_doors() {
    if (admin_) admin_->refresh();
    if (inner_) inner_->refresh();
}

}  // namespace gateway::process
