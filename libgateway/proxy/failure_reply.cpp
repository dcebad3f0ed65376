#include "libgateway/proxy/failure_reply.hpp"

namespace gateway::proxy {

FailureReply reply_to(Failure failure) noexcept {
    using telemetry::EndReason;
    switch (failure) {
        case Failure::none:
            return {200, EndReason::completed};
        case Failure::unresolved:
            return {503, EndReason::upstream_connect};
        case Failure::connect_refused:
            return {502, EndReason::upstream_connect};
        case Failure::connect_timeout:
            return {504, EndReason::upstream_timeout};
        case Failure::write_failed:
            return {502, EndReason::upstream_reset};
        case Failure::send_timeout:
            return {504, EndReason::upstream_timeout};
        case Failure::closed:
            return {502, EndReason::upstream_reset};
        case Failure::read_timeout:
            return {504, EndReason::upstream_timeout};
        case Failure::invalid:
            return {502, EndReason::upstream_invalid};
        case Failure::no_node_left:
            return {502, EndReason::upstream_connect};
        case Failure::no_nodes:
            return {503, EndReason::no_endpoint};
        case Failure::missing_upstream:
            return {502, EndReason::no_endpoint};
        case Failure::no_upstream:
            return {503, EndReason::no_endpoint};
        case Failure::retry_timeout:
            return {502, EndReason::upstream_timeout};
        case Failure::plugin:
            return {500, EndReason::plugin_failed};
        case Failure::client_gone:
            return {499, EndReason::client_gone};
        case Failure::client_slow:
            return {408, EndReason::client_timeout};
        case Failure::client_broken:
            return {400, EndReason::client_error};
        case Failure::body_too_large:
            return {413, EndReason::body_too_large};
    }
    return {500, EndReason::internal};
}

}  // namespace gateway::proxy
