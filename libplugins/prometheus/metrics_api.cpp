// Metrics through the plugin public-api, where the exporter has no listener of its own.
#include "libgateway/config/metrics_attr.hpp"
#include "libgateway/plugin/public_apis.hpp"

namespace gateway::plugins {
namespace {

std::string metrics_path(const json::Value& plugin_attr) {
    config::Errors errors;
    config::MetricsAttr attr = config::read_metrics_attr(plugin_attr, errors);
    errors.throw_if_any();
    return attr.enable_export_server ? std::string() : attr.export_uri;
}

Task<Verdict> tell_metrics(Exchange& exchange) {
    const MetricsText told = co_await exchange.services().metrics(exchange.arena());
    if (told.status == 0) co_return exchange.respond_with({503, LocalReply::Body::page, {}});
    if (told.status == 404) co_return exchange.respond_with({404, LocalReply::Body::page, {}});
    const bool good = told.status == 200;
    exchange.response.fields.set(http::FieldName::content_type,
                                 good ? "text/plain; version=0.0.4" : "application/json");
    co_return exchange.respond_with({told.status, good ? LocalReply::Body::bytes : LocalReply::Body::json, told.text});
}

const PublicApiRegistration registration({metrics_path, http::Verb::get,
                                          [](Exchange& exchange) -> Step { return tell_metrics(exchange); }});

}  // namespace
}  // namespace gateway::plugins
