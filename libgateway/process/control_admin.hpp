// The Admin API as control serves it: the catalogue as its objects, the static file as its settings.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libgateway/admin/admin_api.hpp"
#include "libgateway/admin/http_server.hpp"
#include "libgateway/admin/inner_api.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/process/control_async.hpp"
#include "libgateway/process/control_dashboard.hpp"
#include "libgateway/process/control_standalone.hpp"

namespace gateway::process {

class Control;

// Objects of the store and of the route file, as they are in force.
class CatalogueObjects final : public admin::Objects {
public:
    explicit CatalogueObjects(Control& control) : control_(control) {}
    store::StoredPtr find(config::Kind kind, std::string_view id) const override;
    void each(config::Kind kind, const Each& each) const override;
    std::string defined_at(config::Kind kind, std::string_view id) const override;
    std::string credential_conflict(std::string_view id, const json::Value& object) const override;
    std::string user_of(config::Kind kind, std::string_view id, config::Kind user, sources::Use use) const override;
    sources::CheckRules rules() const override;
    std::shared_ptr<const keyring::Keyring> keyring() const override;
    std::shared_ptr<const keyring::Keyring> key_ring() const override;
    std::string closed() const override;
    std::uint64_t revision() const override;
    std::uint64_t store_revision() const override;
    asio::awaitable<store::Written> write(std::vector<store::Edit> edits, store::Author author) override;

private:
    Control& control_;
};

// Loop thread of control, which owns it. The listening socket belongs to the master, which hands it to every control
// that follows.
class AdminDoor {
public:
    explicit AdminDoor(Control& control);
    // Refuses (false, and the log says why) if the settings want TLS and there is no usable certificate: nothing is
    // served plain then.
    bool listen(UniqueFd listener);
    // The static file was read again.
    void refresh();
    void stop() { server_.stop(); }
    // Requests that are being answered.
    unsigned busy() const noexcept { return busy_; }

private:
    asio::awaitable<admin::Reply> answer(admin::Request request);

    Control& control_;
    CatalogueObjects objects_;
    ControlDashboard dashboard_;
    StandaloneConfiguration whole_;
    admin::AdminApi api_;
    admin::HttpServer server_;
    unsigned busy_ = 0;
};

// The Control API: the same objects, without keys, without secrets and without changes.
class InnerDoor {
public:
    explicit InnerDoor(Control& control);
    void listen(UniqueFd listener) { server_.listen(std::move(listener)); }
    void refresh();
    void stop() { server_.stop(); }

private:
    asio::awaitable<admin::Reply> answer(admin::Request request);

    Control& control_;
    CatalogueObjects objects_;
    admin::InnerApi api_;
    admin::HttpServer server_;
};

// Keys, addresses and the form of answers from the static file. An entry without a key gets the one in `admin.key` of
// the data directory, which is made if it is not there; if that cannot be read, it opens nothing.
admin::AdminSettings admin_settings(const config::StaticConfig& settings);

}  // namespace gateway::process
