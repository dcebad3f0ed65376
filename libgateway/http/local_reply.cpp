#include "libgateway/http/local_reply.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace gateway::http {

namespace {

struct Phrase {
    unsigned status;
    std::string_view text;
    bool page;
};

// Sorted by status; the page column is the list of plugins/README.md 2.1, and 431, for which the limits promise a page.
constexpr Phrase phrases[] = {
    {100, "Continue", false},
    {101, "Switching Protocols", false},
    {102, "Processing", false},
    {103, "Early Hints", false},
    {200, "OK", false},
    {201, "Created", false},
    {202, "Accepted", false},
    {203, "Non-Authoritative Information", false},
    {204, "No Content", false},
    {205, "Reset Content", false},
    {206, "Partial Content", false},
    {207, "Multi-Status", false},
    {208, "Already Reported", false},
    {226, "IM Used", false},
    {300, "Multiple Choices", false},
    {301, "Moved Permanently", true},
    {302, "Found", true},
    {303, "See Other", true},
    {304, "Not Modified", false},
    {305, "Use Proxy", false},
    {307, "Temporary Redirect", true},
    {308, "Permanent Redirect", true},
    {400, "Bad Request", true},
    {401, "Unauthorized", true},
    {402, "Payment Required", true},
    {403, "Forbidden", true},
    {404, "Not Found", true},
    {405, "Method Not Allowed", true},
    {406, "Not Acceptable", true},
    {407, "Proxy Authentication Required", true},
    {408, "Request Timeout", true},
    {409, "Conflict", true},
    {410, "Gone", true},
    {411, "Length Required", true},
    {412, "Precondition Failed", true},
    {413, "Request Entity Too Large", true},
    {414, "Request-URI Too Large", true},
    {415, "Unsupported Media Type", true},
    {416, "Range Not Satisfiable", true},
    {417, "Expectation Failed", true},
    {421, "Misdirected Request", true},
    {422, "Unprocessable Entity", false},
    {423, "Locked", false},
    {424, "Failed Dependency", false},
    {425, "Too Early", false},
    {426, "Upgrade Required", false},
    {428, "Precondition Required", false},
    {429, "Too Many Requests", true},
    {431, "Request Header Fields Too Large", true},
    {451, "Unavailable For Legal Reasons", false},
    {494, "Bad Request", true},
    {495, "SSL Certificate Error", true},
    {496, "SSL Certificate Required", true},
    {497, "HTTP Request Sent to HTTPS Port", true},
    {500, "Internal Server Error", true},
    {501, "Not Implemented", true},
    {502, "Bad Gateway", true},
    {503, "Service Temporarily Unavailable", true},
    {504, "Gateway Time-out", true},
    {505, "HTTP Version Not Supported", true},
    {506, "Variant Also Negotiates", true},
    {507, "Insufficient Storage", true},
    {508, "Loop Detected", false},
    {510, "Not Extended", false},
    {511, "Network Authentication Required", false},
};

const Phrase* find(unsigned status) noexcept {
    for (const Phrase& phrase : phrases) {
        if (phrase.status == status) return &phrase;
    }
    return nullptr;
}

}  // namespace

std::string_view reason_phrase(unsigned status) noexcept {
    const Phrase* phrase = find(status);
    return phrase ? phrase->text : std::string_view();
}

bool has_page(unsigned status) noexcept {
    const Phrase* phrase = find(status);
    return phrase && phrase->page;
}

std::string_view make_page(unsigned status, std::string_view token, Arena& arena) {
    if (!has_page(status)) return {};
    char digits[8];
    const unsigned shown = status == 494 ? 400 : status;
    const auto end = std::to_chars(digits, digits + sizeof digits, shown).ptr;
    const std::string_view code(digits, static_cast<std::size_t>(end - digits));
    const std::string_view phrase = reason_phrase(status);
    const std::array<std::string_view, 11> parts{"<html>\r\n<head><title>",
                                                 code,
                                                 " ",
                                                 phrase,
                                                 "</title></head>\r\n<body>\r\n<center><h1>",
                                                 code,
                                                 " ",
                                                 phrase,
                                                 "</h1></center>\r\n<hr><center>",
                                                 token,
                                                 "</center>\r\n</body>\r\n</html>\r\n"};
    std::size_t size = 0;
    for (std::string_view part : parts) size += part.size();
    char* const page = arena.chars(size);
    char* to = page;
    for (std::string_view part : parts) {
        if (!part.empty()) std::memcpy(to, part.data(), part.size());
        to += part.size();
    }
    return {page, size};
}

}  // namespace gateway::http
