#include "libgateway/http/framing.hpp"

#include <array>
#include <boost/beast/http/verb.hpp>
#include <limits>

#include "libgateway/http/token.hpp"

namespace gateway::http {

namespace {

enum class Coding : std::uint8_t { absent, chunked, unknown, malformed };
enum class Length : std::uint8_t { absent, valid, malformed };
enum class Row : std::uint8_t {
    none,
    length,
    chunked,
    both,            // Transfer-Encoding and Content-Length
    bad_length,      // not one decimal number below 2^63
    bad_coding,      // `chunked` twice, not last, or with parameters
    unknown_coding,  // a coding that we cannot undo
    coding_in_10,    // Transfer-Encoding in HTTP/1.0 (RFC 9112, 6.1)
};

// One row per Coding, one column per Length.
using Table = std::array<std::array<Row, 3>, 4>;
constexpr Table http11{{{Row::none, Row::length, Row::bad_length},
                        {Row::chunked, Row::both, Row::both},
                        {Row::unknown_coding, Row::both, Row::both},
                        {Row::bad_coding, Row::both, Row::both}}};
constexpr Table http10{{{Row::none, Row::length, Row::bad_length},
                        {Row::coding_in_10, Row::both, Row::both},
                        {Row::coding_in_10, Row::both, Row::both},
                        {Row::coding_in_10, Row::both, Row::both}}};

struct Facts {
    Coding coding = Coding::absent;
    Length length = Length::absent;
    std::uint64_t bytes = 0;
};

// The list of one Transfer-Encoding field. An empty element is malformed here although RFC 9110, 5.6.1 would skip it:
// servers disagree on it.
Coding coding_of(std::string_view list) noexcept {
    if (iequals(list, "chunked")) return Coding::chunked;
    bool ended = false;
    for (;;) {
        const std::size_t comma = list.find(',');
        const std::string_view item = trim(list.substr(0, comma));
        if (ended || !is_token(item)) return Coding::malformed;
        ended = iequals(item, "chunked");
        if (comma == std::string_view::npos) return Coding::unknown;
        list.remove_prefix(comma + 1);
    }
}

void note_length(std::string_view value, Facts& facts) noexcept {
    const auto bytes = parse_decimal<std::uint64_t>(value);
    const bool fits = bytes && *bytes <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    facts.length = facts.length == Length::absent && fits ? Length::valid : Length::malformed;
    facts.bytes = fits ? *bytes : 0;
}

Facts gather(const Fields& fields) noexcept {
    Facts facts;
    for (const Field& field : fields) {
        if (field.id == FieldName::transfer_encoding) {
            facts.coding = facts.coding == Coding::absent ? coding_of(field.value) : Coding::malformed;
        } else if (field.id == FieldName::content_length) {
            note_length(field.value, facts);
        }
    }
    return facts;
}

FramingVerdict verdict_of(const Facts& facts, std::uint8_t version) noexcept {
    const Table& table = version >= 11 ? http11 : http10;
    switch (table[static_cast<std::size_t>(facts.coding)][static_cast<std::size_t>(facts.length)]) {
        case Row::none:
            return {};
        case Row::length:
            return {{BodyKind::length, facts.bytes}, 0, {}};
        case Row::chunked:
            return {{BodyKind::chunked, 0}, 0, {}};
        case Row::both:
            return {{}, 400, "both transfer-encoding and content-length"};
        case Row::bad_length:
            return {{}, 400, "invalid or repeated content-length"};
        case Row::bad_coding:
            return {{}, 400, "malformed transfer-encoding"};
        case Row::unknown_coding:
            return {{}, 501, "unknown transfer coding"};
        case Row::coding_in_10:
            break;
    }
    return {{}, 400, "transfer-encoding in HTTP/1.0"};
}

}  // namespace

FramingVerdict judge_request_framing(const Fields& fields, std::uint8_t version) noexcept {
    return verdict_of(gather(fields), version);
}

FramingVerdict judge_response_framing(const Fields& fields, std::uint8_t version, unsigned status,
                                      Verb method) noexcept {
    const Facts facts = gather(fields);
    FramingVerdict verdict = verdict_of(facts, version);
    if (verdict.status != 0) return verdict;
    const bool interim_or_empty = status < 200 || status == 204;
    if (interim_or_empty && facts.coding != Coding::absent) {
        return {{}, 502, "transfer-encoding in a response without a body"};  // RFC 9112, 6.1: MUST NOT
    }
    const bool tunnel = method == Verb::connect && status / 100 == 2;
    if (interim_or_empty || status == 304 || method == Verb::head || tunnel) {
        verdict.body = {};
    } else if (verdict.body.kind == BodyKind::none) {
        verdict.body.kind = BodyKind::until_close;
    }
    return verdict;
}

}  // namespace gateway::http
