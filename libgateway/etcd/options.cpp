#include "libgateway/etcd/options.hpp"

namespace gateway::etcd {

Options options_of(const config::EtcdSettings& settings) {
    Options options;
    for (const std::string& url : settings.host.list) {
        if (auto member = parse_member(url)) options.members.push_back(std::move(*member));
    }
    options.prefix = settings.prefix;
    options.user = settings.user;
    options.password = settings.password.text;
    options.tls = {settings.tls.ca, settings.tls.cert, settings.tls.key, settings.tls.sni, settings.tls.verify};
    options.timeout = settings.timeout.value;
    options.watch_timeout = settings.watch_timeout.value;
    options.resync_delay = settings.resync_delay.value;
    options.left_out = settings.health_check_timeout.value;
    return options;
}

}  // namespace gateway::etcd
