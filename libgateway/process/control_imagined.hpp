// A request that nobody sent: method, URL, headers and client as somebody asks `explain` about them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libgateway/base/arena.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/http/path.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/route/match.hpp"

namespace gateway::process {

// Owns everything that a match views. What only a real connection knows (TLS, body, times) is absent.
class ImaginedRequest final : public expr::VariableSource {
public:
    // `arguments`: method, url ("http://host:port/path?query" or "/path?query"), headers ("name: value"), from
    // (address). Throws std::runtime_error naming the argument and what was expected.
    ImaginedRequest(const json::Value& arguments, const http::PathOptions& options);
    ImaginedRequest(const ImaginedRequest&) = delete;
    ImaginedRequest& operator=(const ImaginedRequest&) = delete;

    // To be changed to the right host form by nobody: views this object.
    route::MatchInput input() const;
    const std::string& method() const noexcept { return method_; }
    std::string_view path() const noexcept { return path_.match; }
    std::string_view host() const noexcept { return host_; }
    bool read(const expr::Variable& variable, expr::VariableValue& out) const override;

private:
    void read_url(std::string_view url, const http::PathOptions& options);
    void read_headers(const json::Value* headers);
    bool text(std::string_view value, expr::VariableValue& out) const;
    bool header(std::string_view key, expr::VariableValue& out) const;
    bool cookie(std::string_view key, expr::VariableValue& out) const;

    mutable Arena arena_;
    std::string method_, scheme_ = "http", authority_, raw_path_, query_, from_ = "127.0.0.1";
    bool has_query_ = false;
    std::vector<std::pair<std::string, std::string>> headers_;
    http::NormalisedPath path_;
    std::string_view host_;
    expr::Address client_;
};

}  // namespace gateway::process
