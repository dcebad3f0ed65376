#include "libgateway/http/path.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "libgateway/base/strings.hpp"

namespace gateway::http {

namespace {

enum Mark : std::uint8_t { plain = 0, slash = 1, dot = 2, odd = 4 };

constexpr std::array<std::uint8_t, 256> make_marks() {
    std::array<std::uint8_t, 256> table{};
    for (std::size_t c = 0; c <= 0x20; ++c) table[c] = odd;
    table[0x7f] = table['%'] = table['\\'] = odd;
    table['/'] = slash;
    table['.'] = dot;
    return table;
}
constexpr std::array<std::uint8_t, 256> marks = make_marks();

// No escape, no backslash, no control character, no "//" and no "/.": the path already is its own normal form.
bool is_plain(std::string_view raw) noexcept {
    if (raw.empty() || raw.front() != '/') return false;
    std::uint8_t before = plain;
    for (char c : raw) {
        const std::uint8_t mark = marks[static_cast<unsigned char>(c)];
        if ((mark & odd) != 0 || ((before & slash) != 0 && mark != plain)) return false;
        before = mark;
    }
    return true;
}

NormalisedPath refuse(std::string_view reason) noexcept {
    NormalisedPath path;
    path.reason = reason;
    return path;
}

// Steps 3 to 6 of router.md 2.1 in one walk; writes the segments kept into `out`, which has room for the raw path.
class Walk {
public:
    Walk(std::string_view raw, char* out) noexcept : raw_(raw), out_(out) {}

    // False if the path is refused; `reason` tells why.
    bool run() noexcept {
        if (raw_.empty() || raw_.front() != '/') return fail("path does not begin with a slash");
        out_[size_++] = '/';
        for (at_ = segment_ = 1; at_ < raw_.size();) {
            if (!read()) return false;
            if (byte_ == '/') {
                encoded_slash_ |= escaped_;
                if (!end_segment()) return false;
                separate();
            } else {
                escaped_dot_ |= escaped_ && byte_ == '.';
                out_[size_++] = byte_;
            }
        }
        return end_segment();
    }
    std::string_view result() const noexcept { return {out_, size_}; }
    std::string_view reason() const noexcept { return reason_; }
    bool encoded_slash() const noexcept { return encoded_slash_; }
    bool segments_changed() const noexcept { return segments_changed_; }

private:
    bool fail(std::string_view reason) noexcept {
        reason_ = reason;
        return false;
    }
    // The next byte, decoded once.
    bool read() noexcept {
        byte_ = raw_[at_];
        escaped_ = byte_ == '%';
        if (escaped_) {
            const int high = at_ + 2 < raw_.size() ? hex_value(raw_[at_ + 1]) : -1;
            const int low = at_ + 2 < raw_.size() ? hex_value(raw_[at_ + 2]) : -1;
            if (high < 0 || low < 0) return fail("invalid percent escape");
            byte_ = static_cast<char>(high * 16 + low);
            if (byte_ == '\0') return fail("encoded NUL");
            at_ += 3;
        } else {
            const auto c = static_cast<unsigned char>(byte_);
            if (c <= 0x20 || c == 0x7f) return fail("control character or blank in the path");
            ++at_;
        }
        return byte_ == '\\' ? fail("backslash in the path") : true;
    }
    // Decides on the segment that begins at `segment_`; afterwards the output still ends with what stays of it.
    bool end_segment() noexcept {
        const std::string_view name(out_ + segment_, size_ - segment_);
        if (name.empty()) return true;
        doubtful_ |= name.front() == ';';
        if (name.front() != '.') return true;
        if (name == ".") {
            doubtful_ |= escaped_dot_;
            return cut(segment_);
        }
        if (name == "..") return climb();
        const std::string_view rest = name.substr(name[1] == '.' ? 2 : 1);
        return !rest.empty() && rest.front() == ';' ? fail("dot segment with parameters") : true;
    }
    bool climb() noexcept {
        if (segment_ == 1) return fail("path climbs above the root");
        if (escaped_dot_ || encoded_slash_ || doubtful_) return fail("ambiguous dot segments");
        std::size_t to = segment_ - 1;
        while (out_[to - 1] != '/') --to;
        return cut(to);
    }
    bool cut(std::size_t to) noexcept {
        segments_changed_ = true;
        size_ = to;
        segment_ = to + 1;  // tells separate() that no empty segment was met
        return true;
    }
    // Between two segments; a slash right behind another one is dropped.
    void separate() noexcept {
        if (out_[size_ - 1] != '/') {
            out_[size_++] = '/';
        } else if (segment_ == size_) {
            segments_changed_ = doubtful_ = true;
        }
        segment_ = size_;
        escaped_dot_ = false;
    }

    std::string_view raw_, reason_;
    char* out_;
    std::size_t size_ = 0, at_ = 0, segment_ = 0;
    char byte_ = '/';
    bool escaped_ = false;           // `byte_` came from an escape
    bool escaped_dot_ = false;       // a dot of the present segment did
    bool encoded_slash_ = false;     // any slash so far did
    bool doubtful_ = false;          // a server may count the segments so far otherwise than we do
    bool segments_changed_ = false;  // steps 4 or 5 did something
};

// The raw path decoded around its encoded slashes, which stay as "%2F". The walk has checked every escape.
std::string_view keep_encoded_slashes(std::string_view raw, Arena& arena) {
    char* const out = arena.chars(raw.size());
    std::size_t size = 0;
    for (std::size_t at = 0; at < raw.size(); ++at) {
        char c = raw[at];
        if (c == '%') {
            c = static_cast<char>(hex_value(raw[at + 1]) * 16 + hex_value(raw[at + 2]));
            at += 2;
            if (c == '/') {
                std::memcpy(out + size, "%2F", 3);
                size += 3;
                continue;
            }
        }
        out[size++] = c;
    }
    return {out, size};
}

// Path parameters cut from each segment; false in `valid` for what a servlet container would refuse or misread.
NormalisedPath like_servlet(std::string_view uri, Arena& arena) {
    NormalisedPath path;
    if (uri.find(';') == std::string_view::npos) {
        path.valid = true;
        path.uri = uri;
        return path;
    }
    char* const out = arena.chars(uri.size());
    std::size_t size = 0;
    for (std::size_t at = 1; at <= uri.size();) {
        const std::size_t end = std::min(uri.find('/', at), uri.size());
        const std::string_view segment = uri.substr(at, end - at);
        const std::string_view name = segment.substr(0, segment.find(';'));
        const bool parameters = name.size() != segment.size();
        if (parameters && (name == "." || name == "..")) return refuse("dot segment with parameters");
        if (parameters && name.empty() && end != uri.size()) return refuse("empty segment with parameters");
        out[size++] = '/';
        std::memcpy(out + size, name.data(), name.size());
        size += name.size();
        at = end + 1;
    }
    path.valid = true;
    path.uri = {out, size};
    return path;
}

constexpr bool must_escape(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || std::string_view("%?#\\\"<>").find(c) != std::string_view::npos;
}

// A decoded path made fit for a request line again, with the meaning it had when it was decoded.
std::string_view escape(std::string_view path, Arena& arena) {
    std::size_t extra = 0;
    for (char c : path) extra += must_escape(c) ? 2 : 0;
    if (extra == 0) return path;
    constexpr std::string_view digits = "0123456789ABCDEF";
    char* const out = arena.chars(path.size() + extra);
    std::size_t size = 0;
    for (char c : path) {
        if (must_escape(c)) {
            const auto byte = static_cast<unsigned char>(c);
            out[size++] = '%';
            out[size++] = digits[byte >> 4];
            out[size++] = digits[byte & 15];
        } else {
            out[size++] = c;
        }
    }
    return {out, size};
}

// The settings of router.md 2.2, after the path as of 2.1 is known.
NormalisedPath apply(const PathOptions& options, std::string_view raw, std::string_view uri, bool keep_slashes,
                     Arena& arena) {
    NormalisedPath path;
    path.valid = true;
    path.uri = uri;
    path.upstream = raw;
    if (options.normalize_uri_like_servlet) {
        path = like_servlet(uri, arena);
        if (!path.valid) return path;
        path.upstream = escape(uri, arena);
    }
    if (options.delete_uri_tail_slash && path.uri.size() > 1 && path.uri.back() == '/') path.uri.remove_suffix(1);
    keep_slashes = keep_slashes && options.match_uri_encoded_slash && path.uri.size() == uri.size();
    path.match = keep_slashes ? keep_encoded_slashes(raw, arena) : path.uri;
    return path;
}

}  // namespace

NormalisedPath normalise(std::string_view raw_path, const PathOptions& options, Arena& arena) {
    if (is_plain(raw_path) || raw_path == "*") return apply(options, raw_path, raw_path, false, arena);
    Walk walk(raw_path, arena.chars(raw_path.size()));
    if (!walk.run()) return refuse(walk.reason());
    const bool same = walk.result() == raw_path;
    const bool keep_slashes = walk.encoded_slash() && !walk.segments_changed();
    return apply(options, raw_path, same ? raw_path : walk.result(), keep_slashes, arena);
}

}  // namespace gateway::http
