#include "libgateway/delivery/log_file.hpp"
#include "libplugins/common/logger.hpp"

namespace gateway::plugins {
namespace {

// Entries given up in this worker.
struct Dropped {
    bool asked = false;
    telemetry::Series* series = nullptr;
};
thread_local Dropped dropped;

class FileLogger final : public Logger {
public:
    struct Settings : EntrySettings {
        std::optional<std::string> path;
        std::optional<std::vector<json::Value>> match;
    };
    struct Metadata {
        std::optional<FormatObject> log_format, log_format_extra;
        std::optional<std::string> path;
        static constexpr auto schema = config::fields(
            config::field("log_format", &Metadata::log_format, "entries of loggers that have no format of their own"),
            config::field("log_format_extra", &Metadata::log_format_extra, "further members of the default entry"),
            config::field("path", &Metadata::path, "file of loggers that name none"));
    };
    static constexpr std::string_view name = "file-logger";
    static constexpr int priority = 399;
    static constexpr auto own_fields = std::tuple(
        config::field("path", &Settings::path, "file that a line is appended to"),
        config::field("match", &Settings::match, "only where one of these expressions holds", config::items(0, 20)));
    static constexpr auto schema = std::apply([](auto... all) { return config::fields(all...); },
                                              std::tuple_cat(own_fields, entry_fields<Settings>()));
    static void check(const Settings& settings, config::Errors& errors) {
        check_entry(settings, errors);
        compile_match(settings, errors);
    }

    FileLogger(const Settings& settings, BuildScope& scope) : FileLogger(settings, read_metadata<FileLogger>(scope)) {}

private:
    FileLogger(const Settings& settings, const Metadata& metadata)
        : Logger(settings, {metadata.log_format, metadata.log_format_extra}, name),
          path_(settings.path ? settings.path : metadata.path) {
        config::Errors errors;
        match_ = compile_match(settings, errors);
        errors.throw_if_any();
        matches_ = settings.match.has_value();
        if (!path_) throw config::Error(R"(property "path" is not set in either the plugin conf or the metadata)");
    }

    static std::vector<expr::Expression> compile_match(const Settings& settings, config::Errors& errors) {
        std::vector<expr::Expression> all;
        if (!settings.match) return all;
        for (const json::Value& rule : *settings.match) {
            try {
                all.emplace_back(rule);
            } catch (const expr::ExpressionError& error) {
                errors.add(std::string("failed to validate the 'match' expression: ") + error.what());
            }
        }
        return all;
    }

    bool wanted(const Exchange& exchange) const override {
        if (!matches_ || match_.empty()) return true;
        for (const expr::Expression& expression : match_) {
            if (expression.evaluate(exchange)) return true;
        }
        return false;
    }

    void write(Exchange& exchange, std::string_view entry) const override {
        delivery::Dispatch* dispatch = exchange.services().dispatch();
        if (!dispatch) return;
        if (!file_) file_ = dispatch->file(*path_);
        if (!dropped.asked) {
            dropped.asked = true;
            dropped.series = dropped_series(dispatch->series, name, "file");
        }
        if (!file_->write_line(entry) && dropped.series) telemetry::add(dropped.series->cell(0));
    }

    std::optional<std::string> path_;
    std::vector<expr::Expression> match_;
    bool matches_ = false;
    mutable std::shared_ptr<delivery::LogFile> file_;  // taken in a worker, with the first entry
};
const Registration<FileLogger> registration;

}  // namespace
}  // namespace gateway::plugins
