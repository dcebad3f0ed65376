#include "libplugins/common/query_edit.hpp"

#include "libgateway/expr/query.hpp"
#include "libplugins/common/arena_text.hpp"

namespace gateway::plugins {

namespace {

struct Piece {
    std::string_view text;  // "name=value"
    std::string_view name(Arena& arena) const { return expr::decode_argument(text.substr(0, text.find('=')), arena); }
};

// The next piece of a query; false at its end.
bool next_piece(std::string_view& rest, Piece& piece) noexcept {
    if (rest.empty()) return false;
    const std::size_t end = rest.find('&');
    piece.text = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    return true;
}

}  // namespace

QueryArgument find_query_argument(Exchange& exchange, std::string_view name) {
    QueryArgument found;
    Piece piece;
    for (std::string_view rest = exchange.args; next_piece(rest, piece);) {
        if (piece.name(exchange.arena()) != name || ++found.count > 1) continue;
        const std::size_t equals = piece.text.find('=');
        found.has_value = equals != std::string_view::npos;
        if (found.has_value) found.value = expr::decode_argument(piece.text.substr(equals + 1), exchange.arena());
    }
    return found;
}

void remove_query_argument(Exchange& exchange, std::string_view name) {
    ArenaText kept(exchange.arena(), exchange.args.size() + 1);
    bool removed = false;
    Piece piece;
    for (std::string_view rest = exchange.args; next_piece(rest, piece);) {
        if (piece.name(exchange.arena()) == name) {
            removed = true;
            continue;
        }
        if (kept.size() > 0) kept << '&';
        kept << piece.text;
    }
    if (!removed) return;
    exchange.args = kept.view();
    exchange.has_args = kept.size() > 0;
    exchange.args_changed = true;
    if (exchange.upstream_uri.empty()) return;
    const std::string_view path = exchange.upstream_uri.substr(0, exchange.upstream_uri.find('?'));
    exchange.upstream_uri = exchange.has_args ? exchange.arena().join(path, "?", exchange.args) : path;
}

}  // namespace gateway::plugins
