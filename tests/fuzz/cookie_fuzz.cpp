// Any bytes for a Cookie field: a cookie that was taken out is gone, the others stay as they were and in their order.
#include <cstdlib>

#include "libgateway/base/strings.hpp"
#include "libplugins/common/cookie_edit.hpp"
#include "tests/support/fake_exchange.hpp"

using namespace gateway;
using namespace gateway::test;

namespace {

constexpr std::string_view name = "jwt";

// What must be left, by the words of the contract.
std::string expected_of(std::string_view field) {
    std::string left;
    for_each_item(field, ';', [&](std::string_view pair) {
        const std::size_t equals = pair.find('=');
        if (equals != pair.npos && trim(pair.substr(0, equals)) == name) return;
        left.append(left.empty() ? "" : "; ").append(pair);
    });
    return left;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t half = text.find('\n');
    FakeExchange exchange;
    exchange.with("Cookie", text.substr(0, half)).with("X-Other", "jwt=1");
    if (half != text.npos) exchange.with("cookie", text.substr(half + 1));
    std::string before;
    for (const http::Field& field : exchange.request.fields) {
        if (field.id == http::FieldName::cookie) before += expected_of(field.value) + ";";
    }
    std::string_view value;
    plugins::remove_cookie(exchange, name);
    if (plugins::find_cookie(exchange.request.fields, name, value)) std::abort();
    std::string after;
    for (const http::Field& field : exchange.request.fields) {
        if (field.id == http::FieldName::cookie) after += expected_of(field.value) + ";";
    }
    std::erase(before, ';');
    std::erase(after, ';');
    if (before != after || exchange.request.fields.get("X-Other") != "jwt=1") std::abort();
    return 0;
}
