#include "libgateway/route/rule.hpp"

#include <array>

namespace gateway::route {
namespace {

using http::Verb;
constexpr std::array<Verb, 10> methods{Verb::get,  Verb::post,    Verb::put,     Verb::delete_, Verb::patch,
                                       Verb::head, Verb::options, Verb::connect, Verb::trace,   Verb::purge};
constexpr std::array<std::string_view, 10> names{"GET",  "POST",    "PUT",     "DELETE", "PATCH",
                                                 "HEAD", "OPTIONS", "CONNECT", "TRACE",  "PURGE"};

}  // namespace

std::uint32_t method_bit(Verb verb) noexcept {
    for (std::size_t i = 0; i < methods.size(); ++i) {
        if (methods[i] == verb) return 1u << i;
    }
    return 0;
}

std::uint32_t method_bit(std::string_view name) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return 1u << i;
    }
    return 0;
}

}  // namespace gateway::route
