#include "libgateway/http/head_parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "libgateway/http/field_lines.hpp"
#include "libgateway/http/framing.hpp"
#include "libgateway/http/head_scan.hpp"
#include "libgateway/http/host.hpp"
#include "libgateway/http/target.hpp"
#include "libgateway/http/token.hpp"

namespace gateway::http {

namespace {

namespace beast = boost::beast;
using beast_error = beast::http::error;
using beast_text = beast::string_view;

constexpr std::size_t most_empty_lines = 4;

std::string_view to_view(beast_text text) noexcept {
    return {text.data(), text.size()};
}

HeadResult failed(unsigned status, std::string_view reason) noexcept {
    return {HeadState::failed, 0, status, reason};
}

// A head over its limit: the request line's own limit is named first.
HeadResult too_large(std::string_view head, const HeadLimits& limits) noexcept {
    const std::size_t line = head.substr(0, limits.head).find('\n');
    if (line == std::string_view::npos || line > limits.target + 64) return failed(414, "request line too long");
    return failed(431, "head too large");
}

// Beast reads the start line. It is not shown the field lines: its own reading of them costs three times ours, unfolds
// what has to be refused, and judges framing, which is the business of framing.hpp alone.
template <bool IsRequest>
class StartLine : public beast::http::basic_parser<IsRequest> {
public:
    // `line` with its CRLF. The empty text if it was read, else the static reason.
    std::string_view read(std::string_view line) {
        this->header_limit(0xffffffffu);
        beast::error_code code;
        this->put({line.data(), line.size()}, code);
        if (seen_) return {};
        if (code == beast_error::bad_method) return "invalid method";
        if (code == beast_error::bad_target) return "invalid character in the request target";
        return IsRequest ? "malformed request line" : "malformed status line";
    }

protected:
    using Code = beast::error_code;
    bool seen_ = false;

private:
    void on_request_impl(Verb, beast_text, beast_text, int, Code&) override {}
    void on_response_impl(int, beast_text, int, Code&) override {}
    void on_field_impl(beast::http::field, beast_text, beast_text, Code&) override {}
    void on_header_impl(Code&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, Code&) override {}
    std::size_t on_body_impl(beast_text, Code&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, beast_text, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast_text, Code&) override { return 0; }
    void on_finish_impl(Code&) override {}
};

class RequestLine final : public StartLine<true> {
public:
    explicit RequestLine(RequestHead& head) noexcept : head_(head) {}

private:
    void on_request_impl(Verb verb, beast_text method, beast_text target, int version, Code&) override {
        head_.method = verb;
        head_.method_text = to_view(method);
        head_.target = to_view(target);
        head_.version = static_cast<std::uint8_t>(version);
        seen_ = true;
    }
    RequestHead& head_;
};

class StatusLine final : public StartLine<false> {
public:
    explicit StatusLine(ResponseHead& head) noexcept : head_(head) {}

private:
    void on_response_impl(int status, beast_text phrase, int version, Code&) override {
        head_.status = static_cast<unsigned>(status);
        head_.reason = to_view(phrase);
        head_.version = static_cast<std::uint8_t>(version);
        seen_ = true;
    }
    ResponseHead& head_;
};

// "HTTP/2.0" is a version that we do not speak, "HTTP/x" and a missing one are no versions at all.
bool names_other_version(std::string_view line) noexcept {
    const std::size_t blank = line.rfind(' ');
    if (blank == std::string_view::npos) return false;
    const std::string_view version = line.substr(blank + 1);
    return version.size() == 8 && version.substr(0, 5) == "HTTP/" && is_digit(version[5]) && version[6] == '.' &&
           is_digit(version[7]) && version != "HTTP/1.0" && version != "HTTP/1.1";
}

// Exactly one valid Host in HTTP/1.1, at most one in HTTP/1.0; an absolute form replaces its value (RFC 9112, 3.2.2).
std::string_view judge_host(unsigned hosts, RequestHead& head) noexcept {
    if (hosts > 1) return "more than one host field";
    if (hosts == 0) return head.version >= 11 ? std::string_view("host field missing") : std::string_view();
    for (Field& field : head.fields) {
        if (field.id != FieldName::host) continue;
        if (!field.value.empty() && !valid_authority(field.value)) return "invalid host field";
        if (head.authority.empty()) {
            head.authority = field.value;
        } else {
            field.value = head.authority;
        }
        break;
    }
    return {};
}

HeadResult judge_request(const FieldNotes& notes, std::size_t consumed, RequestHead& head) noexcept {
    if (const auto reason = split_target(head); !reason.empty()) return failed(400, reason);
    if (const auto reason = judge_host(notes.hosts, head); !reason.empty()) return failed(400, reason);
    const FramingVerdict framing = judge_request_framing(head.fields, head.version);
    if (framing.status != 0) return failed(framing.status, framing.reason);
    if (notes.expect_other) return failed(417, "unknown expectation");
    head.body = framing.body;
    const bool has_body = framing.body.kind == BodyKind::chunked || framing.body.length > 0;
    const bool modern = head.version >= 11;
    head.keep_alive = !notes.close && (modern || notes.keep_alive);
    head.expect_continue = notes.expect_continue && modern && has_body;
    head.websocket = notes.websocket && notes.upgrade && modern && head.method == Verb::get && !has_body;
    return {HeadState::complete, consumed, 0, {}};
}

// Bytes of empty lines in front of a request line; npos if there are more than we tolerate.
std::size_t leading_empty_lines(std::string_view buffer) noexcept {
    std::size_t lead = 0;
    while (buffer.substr(lead, 2) == "\r\n") lead += 2;
    return lead > 2 * most_empty_lines ? std::string_view::npos : lead;
}

// The reason why a scanned head is no head; empty if it may be one.
std::string_view scan_failure(HeadScan::Kind kind) noexcept {
    switch (kind) {
        case HeadScan::Kind::bare_line_feed:
            return "bare line feed";
        case HeadScan::Kind::bare_carriage_return:
            return "bare carriage return";
        case HeadScan::Kind::control:
            return "control character in the head";
        default:
            return {};
    }
}

// What is certain before the head is whole, so that garbage need not run into a time limit.
HeadResult judge_partial(std::string_view head, const HeadLimits& limits) noexcept {
    if (head.size() > limits.head) return too_large(head, limits);
    if (!head.empty() && head != "\r" && !is_token_char(head.front())) return failed(400, "invalid method");
    return {};
}

}  // namespace

HeadResult parse_request(std::string_view buffer, std::size_t scanned, const HeadLimits& limits,
                         RequestHead& head) noexcept {
    const std::size_t lead = leading_empty_lines(buffer);
    if (lead == std::string_view::npos) return failed(400, "too many empty lines before a request");
    buffer = buffer.substr(0, lead + limits.head + 1);
    const HeadScan scan(buffer, lead, scanned);
    if (const auto reason = scan_failure(scan.kind()); !reason.empty()) return failed(400, reason);
    if (scan.kind() == HeadScan::Kind::too_many_lines) return failed(431, "too many fields");
    if (scan.kind() == HeadScan::Kind::incomplete) return judge_partial(buffer.substr(lead), limits);
    if (scan.end() - lead > limits.head) return too_large(buffer.substr(lead), limits);
    head.clear();
    head.line = scan.line(0);
    RequestLine start(head);
    if (const auto reason = start.read({head.line.data(), head.line.size() + 2}); !reason.empty()) {
        return names_other_version(head.line) ? failed(505, "HTTP version not supported") : failed(400, reason);
    }
    if (head.target.size() > limits.target) return failed(414, "request target too long");
    FieldNotes notes;
    const Refusal refusal = read_field_lines(scan, limits, head.fields, notes);
    if (refusal.status != 0) return failed(refusal.status, refusal.reason);
    return judge_request(notes, scan.end(), head);
}

HeadResult parse_response(std::string_view buffer, std::size_t scanned, const HeadLimits& limits, Verb method,
                          ResponseHead& head) noexcept {
    constexpr std::string_view protocol = "HTTP/1.";
    if (buffer.substr(0, protocol.size()) != protocol.substr(0, buffer.size())) return failed(502, "no status line");
    buffer = buffer.substr(0, limits.head + 1);
    const HeadScan scan(buffer, 0, scanned);
    if (const auto reason = scan_failure(scan.kind()); !reason.empty()) return failed(502, reason);
    if (scan.kind() == HeadScan::Kind::too_many_lines) return failed(502, "too many fields");
    const bool whole = scan.kind() == HeadScan::Kind::whole;
    if ((whole ? scan.end() : buffer.size()) > limits.head) return failed(502, "head too large");
    if (!whole) return {};
    head.clear();
    StatusLine start(head);
    if (const auto reason = start.read({buffer.data(), scan.line(0).size() + 2}); !reason.empty())
        return failed(502, reason);
    if (head.status < 100) return failed(502, "invalid status code");
    FieldNotes notes;
    const Refusal refusal = read_field_lines(scan, limits, head.fields, notes);
    if (refusal.status != 0) return failed(502, refusal.reason);
    const FramingVerdict framing = judge_response_framing(head.fields, head.version, head.status, method);
    if (framing.status != 0) return failed(502, framing.reason);
    head.body = framing.body;
    head.keep_alive =
        !notes.close && (head.version >= 11 || notes.keep_alive) && head.body.kind != BodyKind::until_close;
    return {HeadState::complete, scan.end(), 0, {}};
}

}  // namespace gateway::http
