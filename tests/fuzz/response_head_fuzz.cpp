// Response heads: no crash, the same answer in pieces as in whole, framing without contradiction.
#include <algorithm>
#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "libgateway/http/forwarding.hpp"
#include "libgateway/http/head_parser.hpp"

using namespace gateway;
using namespace gateway::http;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4096) return 0;
    const auto copy = std::make_unique<char[]>(size);
    std::copy(data, data + size, copy.get());
    const std::string_view bytes(copy.get(), size);
    static ResponseHead whole, pieces;
    const Verb method = size % 2 == 0 ? Verb::get : Verb::head;
    const HeadResult result = parse_response(bytes, 0, {}, method, whole);
    HeadResult step;
    for (std::size_t end = 1; end <= size; ++end) {
        step = parse_response(bytes.substr(0, end), end - 1, {}, method, pieces);
        if (step.state != HeadState::need_more) break;
    }
    check(step.state == result.state && step.consumed == result.consumed);
    if (result.state != HeadState::complete) return 0;
    check(whole.status >= 100 && whole.status <= 999);
    const bool bodiless = method == Verb::head || whole.status < 200 || whole.status == 204 || whole.status == 304;
    check(!bodiless || whole.body.kind == BodyKind::none);
    check(bodiless || whole.body.kind != BodyKind::none);
    check(whole.body.kind != BodyKind::until_close || !whole.keep_alive);
    check(whole.fields.count(FieldName::transfer_encoding) + whole.fields.count(FieldName::content_length) <= 1);
    strip_hop_by_hop(whole.fields);
    check(!whole.fields.find(FieldName::connection));
    return 0;
}
