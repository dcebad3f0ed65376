// Standalone API mode as control serves it: the configuration that was put last, in force and, if that is wanted, in a
// file for the next start.
#pragma once

#include <string>

#include "libgateway/admin/standalone.hpp"
#include "libgateway/keyring/keyring.hpp"
#include "libgateway/sources/document.hpp"

namespace gateway::process {

class Control;

// Loop thread of control. A control that follows finds the configuration in the journal, as one object more.
class StandaloneConfiguration final : public admin::WholeConfiguration {
public:
    explicit StandaloneConfiguration(Control& control) : control_(control) {}
    admin::Configuration current() const override;
    boost::asio::awaitable<store::Written> replace(admin::Configuration next, admin::Configuration before,
                                                   store::Author author) override;

private:
    Control& control_;
};

// The configuration that a control before this one was given, as its journal tells; null: none.
admin::Configuration kept_whole(const sources::Document& file);

// The file that `deployment.admin.standalone_snapshot` names, encrypted if the keyring can. Both throw
// std::runtime_error; null: there is no such file.
admin::Configuration load_snapshot(const std::string& path, const keyring::Keyring& ring);
void save_snapshot(const std::string& path, const json::Value& configuration, const keyring::Keyring& ring);

}  // namespace gateway::process
