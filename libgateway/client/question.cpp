#include "libgateway/client/question.hpp"

#include <algorithm>

#include "libgateway/http/text_writer.hpp"

namespace gateway::client {

namespace {

bool is_clean(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 127; });
}

// Written by the client itself, or of the hop that the request came over.
bool is_own(http::FieldName id) noexcept {
    switch (id) {
        case http::FieldName::host:
        case http::FieldName::content_length:
        case http::FieldName::transfer_encoding:
        case http::FieldName::connection:
        case http::FieldName::keep_alive:
        case http::FieldName::te:
        case http::FieldName::trailer:
        case http::FieldName::upgrade:
        case http::FieldName::expect:
            return true;
        default:
            return false;
    }
}

bool has_body(const Request& request) noexcept {
    return !request.body.empty() || request.method == http::Verb::post || request.method == http::Verb::put ||
           request.method == http::Verb::patch;
}

}  // namespace

std::string_view write_question(const Url& url, const Request& request, bool keep_alive, net::BufferPool& buffers,
                                net::Buffer& into) {
    const std::string_view target = request.target.empty() ? std::string_view(url.target) : request.target;
    const std::string_view host = request.host.empty() ? std::string_view(url.authority) : request.host;
    const bool target_good = is_clean(target) && target.find_first_of(" \t") == std::string_view::npos;
    if (!target_good || !is_clean(host) || !is_clean(request.method_text)) return {};
    std::size_t size = request.method_text.size() + target.size() + host.size() + 128;
    for (const http::Field& field : request.fields) {
        if (!is_clean(field.name) || !is_clean(field.value)) return {};
        size += field.name.size() + field.value.size() + 4;
    }
    into = buffers.take(size);
    http::TextWriter out(into.data());
    out << request.method_text << " " << target << " HTTP/1.1\r\nHost: " << host << "\r\n";
    for (const http::Field& field : request.fields) {
        if (!is_own(field.id)) out << field.name << ": " << field.value << "\r\n";
    }
    if (has_body(request)) out << "Content-Length: " << request.body.size() << "\r\n";
    if (!keep_alive) out << "Connection: close\r\n";
    out << "\r\n";
    return out.bytes();
}

}  // namespace gateway::client
