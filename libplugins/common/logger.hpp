// What all loggers have in common: settings of entries and batches, keeping of bodies, the hooks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "libgateway/delivery/outbox.hpp"
#include "libgateway/expr/expression.hpp"
#include "libgateway/plugin/registry.hpp"
#include "libplugins/common/log_entry.hpp"

namespace gateway::plugins {

using ExpressionList = std::vector<std::vector<json::Value>>;

struct EntrySettings {
    std::optional<FormatObject> log_format, log_format_extra;
    bool include_req_body = false, include_resp_body = false;
    std::optional<ExpressionList> include_req_body_expr, include_resp_body_expr;
    std::size_t max_req_body_bytes = 524288, max_resp_body_bytes = 524288;
};

struct BatchSettings : EntrySettings {
    std::string name;
    std::size_t batch_max_size = 1000;
    std::uint32_t inactive_timeout = 5, buffer_duration = 60, max_retry_count = 0, retry_delay = 1;
};

struct EntryMetadata {
    std::optional<FormatObject> log_format, log_format_extra;
};
struct BatchMetadata {
    std::optional<FormatObject> log_format, log_format_extra;
    std::size_t max_pending_entries = 8192;
    static constexpr auto schema = config::fields(
        config::field("log_format", &BatchMetadata::log_format, "entries of loggers that have no format of their own"),
        config::field("log_format_extra", &BatchMetadata::log_format_extra, "further members of the default entry"),
        config::field("max_pending_entries", &BatchMetadata::max_pending_entries,
                      "entries that may wait in one worker; further ones are discarded", config::at_least(1)));
    EntryMetadata entry() const { return {log_format, log_format_extra}; }
};

// A member of a base as a member of S: one schema is of one class.
template <class S, class Base, class T>
constexpr T S::*member_of(T Base::*member) {
    return member;
}

template <class S>
constexpr auto entry_fields() {
    return std::tuple(
        config::field("log_format", member_of<S>(&EntrySettings::log_format), "the entry, in place of the default one"),
        config::field("log_format_extra", member_of<S>(&EntrySettings::log_format_extra),
                      "further members of the default entry"),
        config::field("include_req_body", member_of<S>(&EntrySettings::include_req_body), "with the request's body"),
        config::field("include_req_body_expr", member_of<S>(&EntrySettings::include_req_body_expr),
                      "only where this holds", config::items(1)),
        config::field("include_resp_body", member_of<S>(&EntrySettings::include_resp_body), "with the answer's body"),
        config::field("include_resp_body_expr", member_of<S>(&EntrySettings::include_resp_body_expr),
                      "only where this holds when the body begins", config::items(1)),
        config::field("max_req_body_bytes", member_of<S>(&EntrySettings::max_req_body_bytes), "most of it",
                      config::at_least(1)),
        config::field("max_resp_body_bytes", member_of<S>(&EntrySettings::max_resp_body_bytes), "most of it",
                      config::at_least(1)));
}

template <class S>
constexpr auto batch_fields() {
    return std::tuple(
        config::field("name", member_of<S>(&BatchSettings::name), "in messages and the metric"),
        config::field("batch_max_size", member_of<S>(&BatchSettings::batch_max_size), "entries of one delivery",
                      config::at_least(1)),
        config::field("inactive_timeout", member_of<S>(&BatchSettings::inactive_timeout),
                      "seconds without a new entry until what is there is delivered", config::at_least(1)),
        config::field("buffer_duration", member_of<S>(&BatchSettings::buffer_duration),
                      "seconds that the oldest entry may wait", config::at_least(1)),
        config::field("max_retry_count", member_of<S>(&BatchSettings::max_retry_count), "tries after the first",
                      config::at_least(0)),
        config::field("retry_delay", member_of<S>(&BatchSettings::retry_delay), "seconds between two tries",
                      config::at_least(0)));
}

// A logger's own fields, then those that all have.
template <class S, class... Own>
constexpr auto logger_schema(Own... own) {
    const auto make = [](auto... all) { return config::fields(all...); };
    return std::apply(make, std::tuple_cat(std::tuple(own...), batch_fields<S>(), entry_fields<S>()));
}

// The expression of such a list; null: none. Adds "failed to validate the '<field>' expression: …".
Ref<const expr::Expression> compile_expression(const std::optional<ExpressionList>& list, std::string_view field,
                                               config::Errors& errors);
void check_entry(const EntrySettings& settings, config::Errors& errors);

// Keeps bodies while they pass and writes the entry at the end. Derived classes say where it goes.
class Logger : public Plugin {
public:
    Logger(const EntrySettings& settings, const EntryMetadata& metadata, std::string_view plugin,
           std::string_view no_route = {});
    Step access(Exchange& exchange) const final;
    Step body_filter(Exchange& exchange, BodyChunk& chunk) const final;
    Step log(Exchange& exchange) const final;
    std::uint8_t idle_phases() const noexcept final;

protected:
    // Whether this exchange is written at all.
    virtual bool wanted(const Exchange&) const { return true; }
    // Takes the entry, which is gone afterwards.
    virtual void write(Exchange& exchange, std::string_view entry) const = 0;

private:
    struct Kept;  // of one exchange
    LoggedBodies bodies_of(Exchange& exchange) const;
    std::string_view response_body(Exchange& exchange, const Kept& kept) const;

    bool has_format_ = false, has_extra_ = false;  // before the formats, whose making sets them
    LogFormat format_, extra_;
    bool keep_request_, keep_response_;
    Ref<const expr::Expression> request_expression_, response_expression_;
    std::size_t most_request_, most_response_;
    std::string no_route_;
};

// A logger whose entries leave in batches.
class BatchLogger : public Logger {
public:
    BatchLogger(BatchSettings settings, const BatchMetadata& metadata, std::string_view plugin,
                delivery::OutboxCounts& counts, std::string_view no_route = {});

protected:
    void write(Exchange& exchange, std::string_view entry) const override;
    virtual std::unique_ptr<delivery::Sender> make_sender(delivery::Dispatch& dispatch) const = 0;
    bool single() const noexcept { return limits_.batch_max_size == 1; }
    std::size_t batch_max_size() const noexcept { return limits_.batch_max_size; }

private:
    void open(Exchange& exchange, delivery::Dispatch& dispatch) const;

    delivery::OutboxLimits limits_;
    std::size_t most_pending_;
    std::string_view plugin_;
    delivery::OutboxCounts& counts_;
    mutable std::shared_ptr<delivery::Outbox> outbox_;  // made in a worker, with the first entry
};

// The counter of entries that the loggers of one plugin had to give up; null: nothing is counted.
telemetry::Series* dropped_series(telemetry::SeriesWriter* writer, std::string_view plugin, std::string_view reason);

}  // namespace gateway::plugins
