#include "libgateway/process/worker_log.hpp"

#include "libgateway/base/log.hpp"
#include "libgateway/proxy/exchange_state.hpp"
#include "libgateway/telemetry/error_log.hpp"
#include "libgateway/telemetry/route_traffic.hpp"

namespace gateway::process {

namespace {

constexpr std::size_t access_ring = 1u << 20, error_ring = 256u << 10;

bool read_piece(void* source, const telemetry::AccessFormat::Piece& piece, std::string_view& value) {
    expr::VariableValue found;
    const auto& exchange = *static_cast<const proxy::ProxyExchange*>(source);
    if (!exchange.read(*static_cast<const expr::Variable*>(piece.resolved), found)) return false;
    value = found.plain();
    return true;
}

}  // namespace

WorkerLog::WorkerLog(UniqueFd access, UniqueFd error, telemetry::CounterPage& counters, std::span<std::byte> routes)
    : counters_(counters), routes_(routes) {
    other_routes_ = traffic_of({});
    if (access) {
        access_ = std::make_shared<telemetry::LogRing>(access_ring);
        access_log_ = thread_.add(access_, std::move(access));
    }
    if (error) {
        error_ = std::make_shared<telemetry::LogRing>(error_ring);
        error_log_ = thread_.add(error_, std::move(error), telemetry::LogThread::Holds::messages);
        telemetry::install_error_log(*error_);
    }
    thread_.start();
}

WorkerLog::~WorkerLog() {
    if (error_) telemetry::remove_error_log();
    thread_.stop(Milliseconds(1000));
}

void WorkerLog::configure(const WorkerSettings& settings) {
    const auto& nginx = settings.file.nginx_config;
    LogLevel level = LogLevel::warn;
    parse_log_level(nginx.error_log_level, level);
    log::set_level(level);
    if (format_ && format_text_ == nginx.http.access_log_format && escape_text_ == nginx.http.access_log_format_escape)
        return;
    telemetry::LogEscape escape = telemetry::LogEscape::standard;
    telemetry::parse_log_escape(nginx.http.access_log_format_escape, escape);
    try {
        auto format = std::make_unique<telemetry::AccessFormat>(nginx.http.access_log_format, escape);
        variables_.clear();
        for (auto& piece : format->pieces()) {
            if (piece.variable) piece.resolved = &variables_.emplace_back(expr::compile_variable(piece.text));
        }
        format_ = std::move(format);
        format_text_ = nginx.http.access_log_format;
        escape_text_ = nginx.http.access_log_format_escape;
    } catch (const std::exception& error) {
        log::error("access_log_format: {}", error.what());
    }
}

void WorkerLog::ended(proxy::ProxyExchange& exchange) noexcept {
    telemetry::count_response(counters_, exchange.status, exchange.reason);
    telemetry::add(counters_.client_bytes_out, exchange.bytes_sent);
    telemetry::add(counters_.client_bytes_in, exchange.request_length + exchange.upload.taken());
    telemetry::add(counters_.upstream_attempts, exchange.attempt_count);
    if (exchange.attempt_count > 1) telemetry::add(counters_.upstream_retries, exchange.attempt_count - 1);
    count_route(exchange);
    if (access_ && format_) format_->write(*access_, read_piece, &exchange);
}

// From the turn in which the request began to the one in which it ended: reading the clock once more would cost more
// than all that is counted here.
void WorkerLog::count_route(const proxy::ProxyExchange& exchange) noexcept {
    if (!exchange.route) return;
    telemetry::Series*& traffic = exchange.route->traffic;
    if (!traffic) traffic = traffic_of(exchange.route->route_id);
    if (!traffic) return;
    telemetry::count_route(*traffic, exchange.status, exchange.site().reactor.turn_started_ns() - exchange.started_ns);
}

// With no room, or no memory for the name, it is counted with others.
telemetry::Series* WorkerLog::traffic_of(std::string_view route) noexcept try {
    label_.clear();
    telemetry::append_label(label_, route);
    telemetry::Series* found =
        routes_.find_or_add({telemetry::SeriesKind::route_traffic, 0, telemetry::RouteTraffic::cells, label_});
    return found ? found : other_routes_;
} catch (const std::exception&) {
    return other_routes_;
}

std::uint64_t WorkerLog::dropped() const noexcept {
    return (access_ ? access_->dropped() : 0) + (error_ ? error_->dropped() : 0);
}

void WorkerLog::reopen(UniqueFd access, UniqueFd error) {
    if (access && access_) thread_.reopen(access_log_, std::move(access));
    if (error && error_) thread_.reopen(error_log_, std::move(error));
}

}  // namespace gateway::process
