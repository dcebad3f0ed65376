// A request as a line of the access log recorded it, to be matched again. What the log does not hold is told, not
// guessed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "libgateway/process/control_imagined.hpp"

namespace gateway::process {

// Which member of a log line holds which variable.
class LogNames {
public:
    // Every member holds the variable of its name.
    LogNames() = default;
    // As an access log format in JSON writes it: `{"h": "$host"}` means that member `h` holds `host`. Members of
    // several variables, and formats that are no JSON, tell nothing.
    explicit LogNames(std::string_view format);
    // Nothing: a member has its name, but holds something else.
    std::optional<std::string_view> member_of(std::string_view variable) const;

private:
    std::map<std::string, std::string, std::less<>> members_;  // by variable
    std::set<std::string, std::less<>> formatted_;             // members that the format fills
};

// What one line says. Reads lines of the access log and those that logger plugins write (`request.headers` and so on).
class LogLine {
public:
    // Nothing if the line is no JSON object; `why` then tells what it is.
    static std::optional<LogLine> parse(std::string_view line, const LogNames& names, std::string& why);
    // Nothing: the line does not hold it. Empty: it was unset.
    std::optional<std::string> variable(std::string_view name) const;
    // All header fields as a logger plugin writes them; null if they were not.
    const json::Value* headers() const noexcept { return fields_.find("headers"); }

private:
    LogLine(json::Value fields, const LogNames& names) : fields_(std::move(fields)), names_(&names) {}
    json::Value fields_;
    const LogNames* names_;
};

// What routes ask for that a line may lack; true if any of them does.
struct RouteNeeds {
    bool method = false, host = false, client = false;
};

// Made for one line, used by one thread. Answers as the request would have at the time it was matched, as far as the
// line tells; a variable that it lacks is unset, and named by `missing` from then on.
class RecordedRequest final : public expr::VariableSource {
public:
    // `why` is filled if the line cannot be matched again: what is lacking, or what is wrong.
    RecordedRequest(const LogLine& line, const http::PathOptions& options, const RouteNeeds& needs, std::string& why);
    RecordedRequest(const RecordedRequest&) = delete;
    RecordedRequest& operator=(const RecordedRequest&) = delete;

    // Only if nothing was wrong.
    route::MatchInput input() const;
    const std::string& consumer() const noexcept { return consumer_; }
    // "GET shop.example/a?b"
    std::string text() const;
    // The first variable that was asked for in vain; empty: none.
    const std::string& missing() const noexcept { return missing_; }
    bool read(const expr::Variable& variable, expr::VariableValue& out) const override;

private:
    void read_target(const LogLine& line, bool keeps_slashes);
    void read_client(const LogLine& line);
    void imagine(const http::PathOptions& options, std::string& why);
    bool lacks(std::string_view name) const;
    bool logged(std::string_view name, expr::VariableValue& out) const;
    bool header(std::string_view key, expr::VariableValue& out) const;
    bool cookie(const expr::Variable& variable, expr::VariableValue& out) const;
    bool text_of(std::optional<std::string> value, std::string_view name, expr::VariableValue& out) const;

    const LogLine& line_;
    mutable Arena arena_;
    mutable std::string missing_;
    std::string method_, target_, host_, client_, consumer_;
    bool knows_host_ = false, knows_query_ = false;
    std::optional<ImaginedRequest> imagined_;
};

}  // namespace gateway::process
