#include "libgateway/plugin/rewrite_phase.hpp"

namespace gateway {

namespace {

// Puts the merged chain in place of the route's.
Verdict merge_consumer(Exchange& exchange, Ref<const Chain>& chain) noexcept {
    Merged merged = exchange.consumers().merge(chain, *exchange.consumer());
    if (merged.outcome == Merged::Outcome::ok) {
        chain = std::move(merged.chain);
        exchange.route_chain = chain.get();
        return Verdict::next;
    }
    exchange.merge_failed = true;
    const unsigned status = merged.outcome == Merged::Outcome::no_group ? 503 : 500;
    return exchange.respond_with({status, LocalReply::Body::page, {}});
}

}  // namespace

// objects.md 6.3 of the specification, with its segments.
Task<Verdict> run_rewrite(Exchange& exchange, const Chain& global, Ref<const Chain>& chain, bool routed) {
    Step of_global = global.run<Phase::rewrite>(exchange);
    Verdict verdict = of_global.verdict();
    if (!of_global.ready()) verdict = co_await std::move(of_global).wait();
    if (verdict != Verdict::next || !routed) co_return verdict;

    // Without an auth plugin here, a consumer that a global rule found has all of its plugins from the start.
    const bool whole = exchange.consumer() && !chain->has_auth();
    if (!whole) {
        Step first = chain->run<Phase::rewrite>(exchange);
        verdict = first.verdict();
        if (!first.ready()) verdict = co_await std::move(first).wait();
        if (verdict != Verdict::next || (!exchange.consumer() && !chain->has_auth())) co_return verdict;
    }
    if (exchange.consumer()) {
        verdict = merge_consumer(exchange, chain);
        if (verdict == Verdict::next && chain->request_body_needed() > 0) {
            Task<Verdict> body = exchange.prepare_for(*chain);
            verdict = co_await body;
        }
        if (verdict != Verdict::next) co_return verdict;
    }
    Step rest = whole ? chain->run<Phase::rewrite>(exchange) : chain->run_rest(exchange);
    verdict = rest.verdict();
    if (!rest.ready()) verdict = co_await std::move(rest).wait();
    co_return verdict;
}

}  // namespace gateway
