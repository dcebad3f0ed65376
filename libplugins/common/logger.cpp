#include "libplugins/common/logger.hpp"

#include "libplugins/common/arena_text.hpp"
#include "libplugins/common/decompress.hpp"

namespace gateway::plugins {
namespace {

LogFormat format_of(const std::optional<FormatObject>& own, const std::optional<FormatObject>& metadata,
                    std::string_view plugin, bool& there) {
    const auto& counts = own ? own : metadata;
    there = counts.has_value();
    return there ? LogFormat(*counts, plugin) : LogFormat();
}

// Used for one entry at a time; keeps its memory.
std::string& scratch() {
    thread_local std::string text;
    if (text.capacity() > (1u << 20)) std::string().swap(text);
    text.clear();
    return text;
}

constexpr std::uint8_t bit(Phase phase) noexcept {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(phase));
}

}  // namespace

Ref<const expr::Expression> compile_expression(const std::optional<ExpressionList>& list, std::string_view field,
                                               config::Errors& errors) {
    if (!list) return {};
    json::Value rule = json::Value::array();
    for (const std::vector<json::Value>& operand : *list) {
        json::Value part = json::Value::array();
        for (const json::Value& item : operand) part.push(item);
        rule.push(std::move(part));
    }
    try {
        return make_ref<const expr::Expression>(rule);
    } catch (const expr::ExpressionError& error) {
        errors.add("failed to validate the '" + std::string(field) + "' expression: " + error.what());
        return {};
    }
}

void check_entry(const EntrySettings& settings, config::Errors& errors) {
    compile_expression(settings.include_req_body_expr, "include_req_body_expr", errors);
    compile_expression(settings.include_resp_body_expr, "include_resp_body_expr", errors);
}

// Pieces of a response body, in the exchange's arena.
struct Logger::Kept {
    struct Piece {
        std::string_view bytes;
        Piece* next = nullptr;
    };
    enum class Wish : std::uint8_t { unknown, keep, pass };
    Wish request = Wish::unknown, response = Wish::unknown;
    Piece *first = nullptr, *last = nullptr;
    std::size_t size = 0;
    bool cut = false;
};

Logger::Logger(const EntrySettings& settings, const EntryMetadata& metadata, std::string_view plugin,
               std::string_view no_route)
    : format_(format_of(settings.log_format, metadata.log_format, plugin, has_format_)),
      extra_(format_of(settings.log_format_extra, metadata.log_format_extra, plugin, has_extra_)),
      keep_request_(settings.include_req_body || format_.uses_request_body()),
      keep_response_(settings.include_resp_body),
      most_request_(settings.max_req_body_bytes),
      most_response_(settings.max_resp_body_bytes),
      no_route_(no_route) {
    config::Errors errors;
    request_expression_ = compile_expression(settings.include_req_body_expr, "include_req_body_expr", errors);
    response_expression_ = compile_expression(settings.include_resp_body_expr, "include_resp_body_expr", errors);
    errors.throw_if_any();
}

std::uint8_t Logger::idle_phases() const noexcept {
    return static_cast<std::uint8_t>((keep_request_ ? 0 : bit(Phase::access)) |
                                     (keep_response_ ? 0 : bit(Phase::body_filter)));
}

Step Logger::access(Exchange& exchange) const {
    if (!keep_request_) return Verdict::next;
    Kept& kept = exchange.slot<Kept>(*this);
    const bool keep = !request_expression_ || request_expression_->evaluate(exchange);
    kept.request = keep ? Kept::Wish::keep : Kept::Wish::pass;
    if (keep) exchange.keep_request_body(most_request_);
    return Verdict::next;
}

Step Logger::body_filter(Exchange& exchange, BodyChunk& chunk) const {
    if (!keep_response_) return Verdict::next;
    Kept& kept = exchange.slot<Kept>(*this);
    if (kept.response == Kept::Wish::unknown) {
        const bool keep = !response_expression_ || response_expression_->evaluate(exchange);
        kept.response = keep ? Kept::Wish::keep : Kept::Wish::pass;
    }
    if (kept.response != Kept::Wish::keep || chunk.bytes.empty()) return Verdict::next;
    const std::string_view part = chunk.bytes.substr(0, most_response_ - kept.size);
    kept.cut = kept.cut || part.size() < chunk.bytes.size();
    if (part.empty()) return Verdict::next;
    auto* piece = exchange.arena().make<Kept::Piece>(Kept::Piece{exchange.arena().copy(part), nullptr});
    (kept.last ? kept.last->next : kept.first) = piece;
    kept.last = piece;
    kept.size += part.size();
    return Verdict::next;
}

// In one piece, decoded if it is compressed and can be.
std::string_view Logger::response_body(Exchange& exchange, const Kept& kept) const {
    Arena& arena = exchange.arena();
    std::string_view body = kept.first ? kept.first->bytes : std::string_view("");
    if (kept.first && kept.first->next) {
        ArenaText whole(arena, kept.size);
        for (const Kept::Piece* piece = kept.first; piece; piece = piece->next) whole << piece->bytes;
        body = whole.view();
    }
    const Coding coding = coding_of(exchange.response.fields.get(http::FieldName::content_encoding));
    if (coding != Coding::gzip && coding != Coding::brotli) return body;
    return decompress(coding, body, most_response_, kept.cut, arena).value_or(body);
}

LoggedBodies Logger::bodies_of(Exchange& exchange) const {
    LoggedBodies bodies;
    if (!keep_request_ && !keep_response_) return bodies;
    const Kept& kept = exchange.slot<Kept>(*this);
    const std::string_view request = exchange.kept_request_body().substr(0, most_request_);
    if (kept.request == Kept::Wish::keep && !request.empty()) bodies.request = request;
    if (kept.response == Kept::Wish::keep) bodies.response = response_body(exchange, kept);
    return bodies;
}

Step Logger::log(Exchange& exchange) const {
    if (!wanted(exchange)) return Verdict::next;
    const EntryStyle style{has_format_ ? &format_ : nullptr, has_extra_ ? &extra_ : nullptr, no_route_};
    const LoggedBodies bodies = bodies_of(exchange);
    std::string& entry = scratch();
    append_entry(entry, exchange, style, bodies);
    write(exchange, entry);
    return Verdict::next;
}

BatchLogger::BatchLogger(BatchSettings settings, const BatchMetadata& metadata, std::string_view plugin,
                         delivery::OutboxCounts& counts, std::string_view no_route)
    : Logger(settings, metadata.entry(), plugin, no_route),
      most_pending_(metadata.max_pending_entries),
      plugin_(plugin),
      counts_(counts) {
    limits_.name = std::move(settings.name);
    limits_.batch_max_size = settings.batch_max_size;
    limits_.inactive_timeout = Milliseconds(1000LL * settings.inactive_timeout);
    limits_.buffer_duration = Milliseconds(1000LL * settings.buffer_duration);
    limits_.max_retry_count = settings.max_retry_count;
    limits_.retry_delay = Milliseconds(1000LL * settings.retry_delay);
}

void BatchLogger::open(Exchange& exchange, delivery::Dispatch& dispatch) const {
    outbox_ = delivery::Outbox::make(dispatch, limits_, make_sender(dispatch), counts_);
    if (!dispatch.series) return;
    if (!counts_.dropped) counts_.dropped = dropped_series(dispatch.series, plugin_, "queue");
    if (limits_.batch_max_size == 1) return;  // nothing ever waits in its open batch
    expr::VariableValue address;
    exchange.read(expr::compile_variable("server_addr"), address);
    std::string labels;
    telemetry::append_label(labels, limits_.name);
    telemetry::append_label(labels, exchange.facts().route_id);
    telemetry::append_label(labels, address.plain());
    outbox_->show_waiting(dispatch.series->find_or_add({telemetry::SeriesKind::batch_entries, 0, 1, labels}));
}

void BatchLogger::write(Exchange& exchange, std::string_view entry) const {
    delivery::Dispatch* dispatch = exchange.services().dispatch();
    if (!dispatch) return;
    if (!outbox_) open(exchange, *dispatch);
    outbox_->push(entry, most_pending_);
}

telemetry::Series* dropped_series(telemetry::SeriesWriter* writer, std::string_view plugin, std::string_view reason) {
    if (!writer) return nullptr;
    std::string labels;
    telemetry::append_label(labels, plugin);
    telemetry::append_label(labels, reason);
    return writer->find_or_add({telemetry::SeriesKind::log_entries_dropped, 0, 1, labels});
}

}  // namespace gateway::plugins
