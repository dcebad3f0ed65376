#include "libgateway/proxy/exchange_state.hpp"

#include "libgateway/proxy/site.hpp"

namespace gateway::proxy {

ProxyExchange::ProxyExchange(Site& site) {
    services_ = &site;
}

void ProxyExchange::begin(Session& of) {
    session = &of;
    Site& all = of.site();
    settings = all.settings;
    scheme = of.scheme();
    started_ns = all.reactor.turn_started_ns();
    started_ms = all.reactor.now_ms();
    to_client.begin(of.stream(), http::BodyKind::none);
    of.set_exchange(this);
}

// Everything that points or pins is let go; the tables keep their size.
void ProxyExchange::end() noexcept {
    session->set_exchange(nullptr);
    clear();
    settings = nullptr;
    global = chain = nullptr;
    route = nullptr;
    target = nullptr;
    match = {};
    original = {};
    match_path = peer_text = sent_target = sent_host = upload_prefix = {};
    graphql = {};
    matched = body_asked = graphql_read = continued = body_started = keep_alive = head_sent = upstream_reusable = false;
    upload_done = true;
    body_failure = Failure::none;
    head.reset();
    upstream_head.reset();
    response_head.reset();
    request_head.reset();
    upload.release();
    download.release();
    lease.reset();
    head_size = head_scanned = upstream_size = upstream_scanned = upstream_consumed = attempt_count = 0;
    if (body_storage.capacity() > 65536) {
        std::string().swap(body_storage);
    } else {
        body_storage.clear();
    }
    if (collected.capacity() > 65536) {
        std::string().swap(collected);
    } else {
        collected.clear();
    }
    chunk_arena.reset();
    reason = EndReason::completed;
    bytes_sent = body_bytes_sent = request_length = 0;
    status = 0;
    session = nullptr;
}

}  // namespace gateway::proxy
