#include "libgateway/proxy/head_writer.hpp"

#include "libgateway/http/text_writer.hpp"

namespace gateway::proxy {

using http::BodyKind;
using http::FieldName;

namespace {

// Written from other sources, or (Expect) answered by the gateway itself.
bool is_of_this_hop(FieldName id) noexcept {
    return id == FieldName::content_length || id == FieldName::transfer_encoding || id == FieldName::connection ||
           id == FieldName::expect;
}

std::size_t size_of(const http::Fields& fields) noexcept {
    std::size_t size = 0;
    for (const http::Field& field : fields) size += field.name.size() + field.value.size() + 4;
    return size;
}

void write_fields(http::TextWriter& out, const http::Fields& fields, FieldName left_out) noexcept {
    for (const http::Field& field : fields) {
        if (field.id != FieldName::unknown && (is_of_this_hop(field.id) || field.id == left_out)) continue;
        out << field.name << std::string_view(": ") << field.value << std::string_view("\r\n");
    }
}

}  // namespace

std::string_view write_request_head(const RequestLine& line, const http::Fields& fields,
                                    const http::BodyFraming& framing, bool always_length, net::BufferPool& buffers,
                                    net::Buffer& into) {
    into = buffers.take(size_of(fields) + line.method.size() + line.target.size() + line.host.size() + 160);
    http::TextWriter out(into.data());
    out << line.method << ' ' << line.target;
    out << std::string_view(" HTTP/1.1\r\nHost: ") << line.host << std::string_view("\r\n");
    write_fields(out, fields, FieldName::host);
    if (framing.kind == BodyKind::chunked) out << std::string_view("Transfer-Encoding: chunked\r\n");
    if (framing.kind == BodyKind::length || always_length) {
        out << std::string_view("Content-Length: ") << framing.length << std::string_view("\r\n");
    }
    if (line.upgrade) out << std::string_view("Connection: upgrade\r\nUpgrade: websocket\r\n");
    out << std::string_view("\r\n");
    return out.bytes();
}

std::string_view write_response_head(const StatusLine& line, const http::Fields& fields,
                                     const http::BodyFraming& framing, net::BufferPool& buffers, net::Buffer& into) {
    into = buffers.take(size_of(fields) + line.reason.size() + line.server.size() + line.date.size() +
                        line.length_field.size() + 200);
    http::TextWriter out(into.data());
    out << std::string_view("HTTP/1.1 ") << std::uint64_t(line.status) << ' ' << line.reason
        << std::string_view("\r\n");
    if (!line.server.empty()) out << std::string_view("Server: ") << line.server << std::string_view("\r\n");
    if (!line.date.empty()) out << std::string_view("Date: ") << line.date << std::string_view("\r\n");
    write_fields(out, fields, FieldName::server);
    if (framing.kind == BodyKind::chunked) {
        out << std::string_view("Transfer-Encoding: chunked\r\n");
    } else if (framing.kind == BodyKind::length) {
        out << std::string_view("Content-Length: ") << framing.length << std::string_view("\r\n");
    } else if (!line.length_field.empty()) {
        out << std::string_view("Content-Length: ") << line.length_field << std::string_view("\r\n");
    }
    switch (line.connection) {
        case ConnectionField::none:
            break;
        case ConnectionField::close:
            out << std::string_view("Connection: close\r\n");
            break;
        case ConnectionField::keep_alive:
            out << std::string_view("Connection: keep-alive\r\n");
            break;
        case ConnectionField::upgrade:
            out << std::string_view("Connection: upgrade\r\n");
            break;
    }
    out << std::string_view("\r\n");
    return out.bytes();
}

}  // namespace gateway::proxy
