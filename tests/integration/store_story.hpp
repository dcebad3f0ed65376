// What stories of the store share.
#pragma once

#include <boost/json/parse.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gateway_process.hpp"

namespace gateway::test {

// A route that answers by itself.
inline std::string route(std::string_view uri, std::string_view answer) {
    return R"({"uri":")" + std::string(uri) + R"(","plugins":{"mocking":{"response_example":")" + std::string(answer) +
           R"("}}})";
}
// The result of a gatewayctl command; null if it was none.
inline boost::json::value json_of(const GatewayProcess& gateway, std::vector<std::string> command) {
    command.insert(command.begin(), "--json");
    boost::system::error_code error;
    auto answer = boost::json::parse(gateway.ctl(std::move(command)).out, error);
    return error ? boost::json::value() : answer.at("result");
}
inline std::string digest(const GatewayProcess& gateway) {
    return std::string(gateway.status().at("digest").as_string());
}
// In force and on disk; on a busy machine a worker may need longer than anybody waits for it.
inline bool done(const RunResult& result) {
    UNSCOPED_INFO(result.out);
    const bool nobody = result.out.find("loading") != std::string::npos ||
                        result.out.find("a new binary is starting") != std::string::npos;
    return (result.exit == 0 || result.exit == 4) && !nobody;
}

}  // namespace gateway::test
