// What both bare loops do with a head: tokenise it with Beast's parser, write it again with the forwarded fields.
#pragma once

#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <string>
#include <string_view>

namespace gateway::bench {

namespace http = boost::beast::http;
using boost::beast::string_view;

// Keeps views of the fields; everything else is the base class's work.
template <bool IsRequest>
class HeadParser : public http::basic_parser<IsRequest> {
public:
    struct Field {
        string_view name, value;
    };
    std::array<Field, 64> fields;
    std::size_t count = 0;
    string_view target;

private:
    void on_request_impl(http::verb, string_view, string_view where, int, boost::beast::error_code&) override {
        target = where;
    }
    void on_response_impl(int, string_view, int, boost::beast::error_code&) override {}
    void on_field_impl(http::field, string_view name, string_view value, boost::beast::error_code&) override {
        if (count < fields.size()) fields[count++] = {name, value};
    }
    void on_header_impl(boost::beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, boost::beast::error_code&) override {}
    std::size_t on_body_impl(string_view body, boost::beast::error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, boost::beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, boost::beast::error_code&) override {
        return body.size();
    }
    void on_finish_impl(boost::beast::error_code&) override {}
};

inline void write_head(std::string& out, const HeadParser<true>& request, std::string_view client,
                       std::string_view port) {
    std::string_view host;
    out.assign("GET ").append(request.target).append(" HTTP/1.1\r\n");
    for (std::size_t i = 0; i < request.count; ++i) {
        const auto& [name, value] = request.fields[i];
        if (boost::beast::iequals(name, "host")) host = {value.data(), value.size()};
        if (boost::beast::iequals(name, "connection")) continue;
        out.append(name).append(": ").append(value).append("\r\n");
    }
    out.append("X-Real-IP: ").append(client).append("\r\nX-Forwarded-For: ").append(client);
    out.append("\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: ").append(host);
    out.append("\r\nX-Forwarded-Port: ").append(port).append("\r\n\r\n");
}

}  // namespace gateway::bench
