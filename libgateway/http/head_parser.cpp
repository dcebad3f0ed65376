#include "libgateway/http/head_parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>

#include "libgateway/http/framing.hpp"
#include "libgateway/http/host.hpp"
#include "libgateway/http/target.hpp"
#include "libgateway/http/token.hpp"

namespace gateway::http {

namespace {

namespace beast = boost::beast;
using beast_error = beast::http::error;
using beast_text = beast::string_view;

constexpr std::size_t most_empty_lines = 4;
constexpr std::size_t most_connection_options = 64;  // each is compared with each field later

std::string_view to_view(beast_text text) noexcept {
    return {text.data(), text.size()};
}

HeadResult failed(unsigned status, std::string_view reason) noexcept {
    return {HeadState::failed, 0, status, reason};
}

struct Extent {
    enum class Kind : std::uint8_t { incomplete, whole, bare_line_feed } kind;
    std::size_t end = 0;  // one past the empty line
};

// Goes from line end to line end; memchr costs fewer instructions than a search for the four bytes at the end.
Extent find_end(std::string_view buffer, std::size_t start, std::size_t from) noexcept {
    const char* const base = buffer.data();
    for (std::size_t at = from; at < buffer.size(); ++at) {
        const void* hit = std::memchr(base + at, '\n', buffer.size() - at);
        if (!hit) break;
        at = static_cast<std::size_t>(static_cast<const char*>(hit) - base);
        if (at == start || base[at - 1] != '\r') return {Extent::Kind::bare_line_feed};
        if (at >= start + 3 && base[at - 2] == '\n') return {Extent::Kind::whole, at + 1};
    }
    return {Extent::Kind::incomplete};
}

// A head over its limit: the request line's own limit is named first.
HeadResult too_large(std::string_view head, const HeadLimits& limits) noexcept {
    const std::size_t line = head.substr(0, limits.head).find('\n');
    if (line == std::string_view::npos || line > limits.target + 64) return failed(414, "request line too long");
    return failed(431, "head too large");
}

// What both parsers share: Beast calls back with each field, views point into the buffer, the body is none of its
// business.
template <bool IsRequest>
class Tokeniser : public beast::http::basic_parser<IsRequest> {
public:
    Tokeniser(std::string_view head, const HeadLimits& limits, Fields& fields) noexcept
        : head_(head), limits_(limits), fields_(fields) {
        this->header_limit(0xffffffffu);
        this->body_limit(boost::none);
        this->skip(true);
    }
    // True if the whole head was read.
    bool run() {
        error_code_type code;
        this->put({head_.data(), head_.size()}, code);
        if (code && reason.empty()) explain(code);
        return !code && this->is_done();
    }

    unsigned status = 400;
    std::string_view reason;
    unsigned hosts = 0;
    unsigned options = 0;
    bool close = false, keep_alive = false, upgrade = false;
    bool websocket = false, expect_continue = false, expect_other = false;

protected:
    using error_code_type = beast::error_code;

    void refuse(error_code_type& code, unsigned answer, std::string_view why) noexcept {
        code = beast_error::bad_field;
        status = answer;
        reason = why;
    }

    void on_field_impl(beast::http::field id, beast_text name, beast_text value, error_code_type& code) override {
        if (folded(name, value)) return refuse(code, 400, "folded field line");
        const auto length = static_cast<std::size_t>(value.data() + value.size() - name.data());
        if (length > limits_.field) return refuse(code, 431, "field line too long");
        if (fields_.size() >= limits_.count || !fields_.add(to_view(name), to_view(value), id)) {
            return refuse(code, 431, "too many fields");
        }
        switch (id) {
            case FieldName::host:
                ++hosts;
                break;
            case FieldName::connection:
                note_connection(to_view(value));
                break;
            case FieldName::upgrade:
                note_upgrade(to_view(value));
                break;
            case FieldName::expect:
                note_expect(to_view(value));
                break;
            default:
                break;
        }
        if (options > most_connection_options) refuse(code, 400, "too many connection options");
    }
    void on_header_impl(error_code_type&) override {}
    void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code_type&) override {}
    std::size_t on_body_impl(beast_text, error_code_type&) override { return 0; }
    void on_chunk_header_impl(std::uint64_t, beast_text, error_code_type&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast_text, error_code_type&) override { return 0; }
    void on_finish_impl(error_code_type&) override {}

private:
    // Beast unfolds obsolete line folding into a buffer of its own, or skips the empty first line of a folded value.
    bool folded(beast_text name, beast_text value) const noexcept {
        const char* const gap = name.data() + name.size() + 1;
        if (value.data() < gap || value.data() > head_.data() + head_.size()) return true;
        for (const char* at = gap; at != value.data(); ++at) {
            if (*at != ' ' && *at != '\t') return true;
        }
        return false;
    }
    void note_connection(std::string_view value) noexcept {
        for_each_item(value, ',', [this](std::string_view item) {
            ++options;
            keep_alive |= item == "keep-alive" || iequals(item, "keep-alive");
            close |= iequals(item, "close");
            upgrade |= iequals(item, "upgrade");
        });
    }
    void note_upgrade(std::string_view value) noexcept {
        websocket = !seen_upgrade_ && iequals(value, "websocket");
        seen_upgrade_ = true;
    }
    void note_expect(std::string_view value) noexcept {
        expect_continue |= iequals(value, "100-continue");
        expect_other |= !iequals(value, "100-continue");
    }
    void explain(const error_code_type& code) noexcept {
        reason = "malformed head";
        if (code == beast_error::bad_method) reason = "invalid method";
        if (code == beast_error::bad_target) reason = "invalid character in the request target";
        if (code == beast_error::bad_version) reason = "malformed version";
        if (code == beast_error::bad_status) reason = "invalid status line";
        if (code == beast_error::bad_reason) reason = "invalid reason phrase";
        if (code == beast_error::bad_field) reason = "invalid field name";
        if (code == beast_error::bad_value) reason = "invalid character in a field value";
        if (code == beast_error::bad_line_ending) reason = "bare carriage return";
        if (code == beast_error::header_limit) reason = "folded field line";
        if (code == beast_error::bad_content_length) reason = "invalid content-length";
        if (code == beast_error::multiple_content_length) reason = "differing content-length";
        if (code == beast_error::bad_transfer_encoding) reason = "repeated or contradicted transfer-encoding";
    }

    std::string_view head_;
    const HeadLimits& limits_;
    Fields& fields_;
    bool seen_upgrade_ = false;
};

class RequestTokeniser final : public Tokeniser<true> {
public:
    RequestTokeniser(std::string_view bytes, const HeadLimits& limits, RequestHead& request) noexcept
        : Tokeniser(bytes, limits, request.fields),
          begin_(bytes.data()),
          target_limit_(limits.target),
          head_(request) {}

private:
    void on_request_impl(Verb verb, beast_text method, beast_text target, int version, error_code_type& code) override {
        head_.method = verb;
        head_.method_text = to_view(method);
        head_.target = to_view(target);
        head_.version = static_cast<std::uint8_t>(version);
        constexpr std::size_t rest = std::string_view(" HTTP/1.1").size();
        head_.line = {begin_, static_cast<std::size_t>(target.data() + target.size() - begin_) + rest};
        if (target.size() > target_limit_) refuse(code, 414, "request target too long");
    }
    void on_response_impl(int, beast_text, int, error_code_type&) override {}

    const char* begin_;
    std::size_t target_limit_;
    RequestHead& head_;
};

class ResponseTokeniser final : public Tokeniser<false> {
public:
    ResponseTokeniser(std::string_view bytes, const HeadLimits& limits, ResponseHead& response) noexcept
        : Tokeniser(bytes, limits, response.fields), head_(response) {}

private:
    void on_request_impl(Verb, beast_text, beast_text, int, error_code_type&) override {}
    void on_response_impl(int code, beast_text phrase, int version, error_code_type& error) override {
        head_.status = static_cast<unsigned>(code);
        head_.reason = to_view(phrase);
        head_.version = static_cast<std::uint8_t>(version);
        if (code < 100) refuse(error, 502, "invalid status line");
    }

    ResponseHead& head_;
};

// "HTTP/2.0" is a version that we do not speak, "HTTP/x" and a missing one are no versions at all.
bool names_other_version(std::string_view head) noexcept {
    const std::string_view line = head.substr(0, head.find('\r'));
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
    }
    return {};
}

HeadResult judge_request(const RequestTokeniser& read, std::size_t consumed, RequestHead& head) noexcept {
    if (const auto reason = split_target(head); !reason.empty()) return failed(400, reason);
    if (const auto reason = judge_host(read.hosts, head); !reason.empty()) return failed(400, reason);
    const FramingVerdict framing = judge_request_framing(head.fields, head.version);
    if (framing.status != 0) return failed(framing.status, framing.reason);
    if (read.expect_other) return failed(417, "unknown expectation");
    head.body = framing.body;
    const bool has_body = framing.body.kind == BodyKind::chunked || framing.body.length > 0;
    const bool modern = head.version >= 11;
    head.keep_alive = !read.close && (modern || read.keep_alive);
    head.expect_continue = read.expect_continue && modern && has_body;
    head.websocket = read.websocket && read.upgrade && modern && head.method == Verb::get && !has_body;
    return {HeadState::complete, consumed, 0, {}};
}

// Bytes of empty lines in front of a request line; SIZE_MAX if there are more than we tolerate.
std::size_t leading_empty_lines(std::string_view buffer) noexcept {
    std::size_t lead = 0;
    while (buffer.substr(lead, 2) == "\r\n") lead += 2;
    return lead > 2 * most_empty_lines ? std::string_view::npos : lead;
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
    const Extent extent = find_end(buffer, lead, scanned > lead ? scanned : lead);
    if (extent.kind == Extent::Kind::bare_line_feed) return failed(400, "bare line feed");
    if (extent.kind == Extent::Kind::incomplete) return judge_partial(buffer.substr(lead), limits);
    const std::string_view bytes = buffer.substr(lead, extent.end - lead);
    if (bytes.size() > limits.head) return too_large(bytes, limits);
    head.clear();
    RequestTokeniser read(bytes, limits, head);
    if (!read.run()) {
        if (read.status == 400 && names_other_version(bytes)) return failed(505, "HTTP version not supported");
        return failed(read.status, read.reason);
    }
    return judge_request(read, extent.end, head);
}

HeadResult parse_response(std::string_view buffer, std::size_t scanned, const HeadLimits& limits, Verb method,
                          ResponseHead& head) noexcept {
    constexpr std::string_view protocol = "HTTP/1.";
    if (buffer.substr(0, protocol.size()) != protocol.substr(0, buffer.size())) return failed(502, "no status line");
    const Extent extent = find_end(buffer, 0, scanned);
    if (extent.kind == Extent::Kind::bare_line_feed) return failed(502, "bare line feed");
    const bool whole = extent.kind == Extent::Kind::whole;
    if ((whole ? extent.end : buffer.size()) > limits.head) return failed(502, "head too large");
    if (!whole) return {};
    head.clear();
    ResponseTokeniser read(buffer.substr(0, extent.end), limits, head);
    if (!read.run()) return failed(502, read.reason);
    const FramingVerdict framing = judge_response_framing(head.fields, head.version, head.status, method);
    if (framing.status != 0) return failed(502, framing.reason);
    head.body = framing.body;
    head.keep_alive = !read.close && (head.version >= 11 || read.keep_alive) && head.body.kind != BodyKind::until_close;
    return {HeadState::complete, extent.end, 0, {}};
}

}  // namespace gateway::http
