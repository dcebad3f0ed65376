// Request heads: no crash, the same answer in pieces as in whole, and what we accept Beast reads as the very same
// fields.
#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/http/forwarding.hpp"
#include "libgateway/http/head_parser.hpp"
#include "libgateway/http/host.hpp"
#include "libgateway/http/path.hpp"

using namespace gateway;
using namespace gateway::http;
namespace beast = boost::beast;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

// Beast's reading of all field lines, compared with ours one by one. It has its own opinion of framing fields, and may
// stop there.
class Oracle final : public beast::http::basic_parser<true> {
public:
    explicit Oracle(const RequestHead& head) : head_(head) {
        header_limit(0xffffffffu);
        body_limit(boost::none);
        skip(true);
    }
    void run(std::string_view bytes) {
        beast::error_code code;
        put({bytes.data(), bytes.size()}, code);
        using beast::http::error;
        const bool opinion = code == error::bad_value || code == error::bad_content_length ||
                             code == error::multiple_content_length || code == error::bad_transfer_encoding;
        check(!code || opinion);
        if (!code) check(seen_ == head_.fields.size());
    }

private:
    using Code = beast::error_code;
    using Text = beast::string_view;
    void on_request_impl(Verb, Text, Text target, int, Code&) override {
        check(head_.target == std::string_view(target.data(), target.size()));
    }
    void on_field_impl(beast::http::field id, Text name, Text value, Code&) override {
        check(seen_ < head_.fields.size());
        const Field& field = head_.fields.begin()[seen_++];
        check(field.id == id && field.name == std::string_view(name.data(), name.size()));
        // An absolute form replaces the value of Host.
        check(id == FieldName::host || field.value == std::string_view(value.data(), value.size()));
    }
    void on_response_impl(int, Text, int, Code&) override {}
    void on_header_impl(Code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, Code&) override {}
    std::size_t on_body_impl(Text, Code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text, Code&) override { return 0; }
    void on_finish_impl(Code&) override {}

    const RequestHead& head_;
    std::size_t seen_ = 0;
};

void check_accepted(std::string_view bytes, std::size_t consumed, RequestHead& head) {
    check(consumed <= bytes.size() && bytes.substr(consumed - 4, 4) == "\r\n\r\n");
    check(head.version == 10 || head.version == 11);
    check(head.fields.count(FieldName::host) <= 1);
    const auto codings = head.fields.count(FieldName::transfer_encoding),
               lengths = head.fields.count(FieldName::content_length);
    check(codings + lengths <= 1);
    check((head.body.kind == BodyKind::chunked) == (codings == 1));
    check((head.body.kind == BodyKind::length) == (lengths == 1));
    check(head.authority.empty() || valid_authority(head.authority));
    const std::size_t lead = static_cast<std::size_t>(head.line.data() - bytes.data());
    Oracle(head).run(bytes.substr(lead, consumed - lead));
    Arena arena;
    check(!host_of(head.authority, arena).empty());
    static_cast<void>(normalise(head.raw_path, {}, arena));
    strip_hop_by_hop(head.fields);
    check(!head.fields.find(FieldName::connection) && !head.fields.find(FieldName::transfer_encoding));
    set_forwarded(head.fields, {}, {"1.1.1.1", "2.2.2.2", "http", "h", "80"}, arena);
    check(head.fields.find("X-Forwarded-For") != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4096) return 0;
    // Bytes of its own, so that the sanitizer sees a read past the end.
    const auto copy = std::make_unique<char[]>(size);
    std::copy(data, data + size, copy.get());
    const std::string_view bytes(copy.get(), size);
    static RequestHead whole, pieces;
    const HeadResult result = parse_request(bytes, 0, {}, whole);
    HeadResult step;
    for (std::size_t end = 1; end <= size; ++end) {
        step = parse_request(bytes.substr(0, end), end - 1, {}, pieces);
        if (step.state != HeadState::need_more) break;
    }
    check(step.state == result.state && step.consumed == result.consumed);
    check((result.state == HeadState::failed) == (result.status != 0));
    check(result.status == 0 || !result.reason.empty());
    if (result.state == HeadState::complete) check_accepted(bytes, result.consumed, whole);
    return 0;
}
