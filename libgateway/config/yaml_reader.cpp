#include "libgateway/config/yaml_reader.hpp"

#include <libfyaml.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "libgateway/config/yaml_scalar.hpp"

namespace gateway::config {

namespace {

using json::ParseError;
using json::Position;
using json::Value;

struct ParserGone {
    void operator()(fy_parser* parser) const noexcept { fy_parser_destroy(parser); }
    void operator()(fy_diag* diag) const noexcept { fy_diag_destroy(diag); }
};
template <class T>
using Owned = std::unique_ptr<T, ParserGone>;

Position position_of(const fy_mark* mark) noexcept {
    if (!mark) return {};
    return {static_cast<std::uint32_t>(mark->line + 1), static_cast<std::uint32_t>(mark->column + 1)};
}
std::string_view text_of(fy_token* token) noexcept {
    std::size_t size = 0;
    const char* text = token ? fy_token_get_text(token, &size) : nullptr;
    return text ? std::string_view(text, size) : std::string_view();
}

// Builds values from events. Holds the open containers as a stack; a key waits until its value is complete.
class Reader {
public:
    explicit Reader(const YamlLimits& limits) : limits_(limits) {}

    void take(fy_event* event) {
        const Position where = position_of(fy_event_start_mark(event));
        switch (event->type) {
            case FYET_DOCUMENT_START:
                if (documents_++ > 0) fail(where, "only one YAML document is allowed");
                break;
            case FYET_SCALAR:
                scalar(event, where);
                break;
            case FYET_ALIAS:
                alias(text_of(event->alias.anchor), where);
                break;
            case FYET_SEQUENCE_START:
                open(Value::array(), event->sequence_start.anchor, where);
                break;
            case FYET_MAPPING_START:
                open(Value::object(), event->mapping_start.anchor, where);
                break;
            case FYET_SEQUENCE_END:
            case FYET_MAPPING_END:
                close();
                break;
            default:
                break;
        }
    }
    Value result() { return std::move(root_); }

    [[noreturn]] static void fail(Position where, std::string what) { throw ParseError({where, 0, std::move(what)}); }

private:
    struct Open {
        Value value;
        std::string anchor;
        std::string key;
        Position key_where;
        bool has_key = false, merges = false;
    };

    void scalar(fy_event* event, Position where) {
        fy_token* token = event->scalar.value;
        const std::string_view text = text_of(token);
        const fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
        const bool plain = style == FYSS_PLAIN;
        const bool quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
        if (quoted && where.column > 1) --where.column;  // the mark stands behind the quote
        if (wants_key()) return key(text, plain, where);
        const std::string_view tag = event->scalar.tag ? text_of(event->scalar.tag) : std::string_view();
        Value value = is_text(tag) || (!plain && !is_typed(tag)) ? Value(text) : plain_scalar(text);
        value.where = where;
        finish(std::move(value), text_of(event->scalar.anchor));
    }
    static bool is_text(std::string_view tag) noexcept { return tag == "!!str" || tag == "!" || tag.ends_with(":str"); }
    static bool is_typed(std::string_view tag) noexcept {
        for (const std::string_view name : {"int", "float", "bool", "null"}) {
            if (tag.ends_with(name) && (tag.starts_with("!!") || tag.starts_with("tag:yaml.org,2002:"))) return true;
        }
        return false;
    }

    bool wants_key() const noexcept {
        return !open_.empty() && open_.back().value.is_object() && !open_.back().has_key;
    }
    void key(std::string_view text, bool plain, Position where) {
        Open& top = open_.back();
        top.key = text;
        top.key_where = where;
        top.has_key = true;
        top.merges = top.merges || (plain && text == "<<");
    }
    void open(Value container, fy_token* anchor, Position where) {
        if (wants_key()) fail(where, "a key must be a scalar");
        container.where = where;
        open_.push_back({std::move(container), std::string(text_of(anchor)), {}, {}, false, false});
    }
    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        if (done.merges) merge(done.value);
        json::drop_repeated_members(done.value);
        finish(std::move(done.value), done.anchor);
    }
    void finish(Value value, std::string_view anchor) {
        if (!anchor.empty()) anchors_.insert_or_assign(std::string(anchor), copy(value, value.where));
        add(std::move(value));
    }
    void add(Value value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else if (open_.back().value.is_array()) {
            open_.back().value.make_array().push_back(std::move(value));
        } else {
            Open& top = open_.back();
            top.value.make_object().push_back({std::move(top.key), std::move(value), top.key_where});
            top.has_key = false;
        }
    }

    void alias(std::string_view name, Position where) {
        const auto found = anchors_.find(std::string(name));
        if (found == anchors_.end()) fail(where, "unknown alias *" + std::string(name));
        if (!wants_key()) return add(copy(found->second, where));
        const Value& value = found->second;
        if (value.is_array() || value.is_object()) fail(where, "a key must be a scalar");
        key(value.is_string() ? value.string() : json::write(value), false, where);
    }
    // Every copy is charged, so that nested aliases cannot grow without bound.
    Value copy(const Value& value, Position where) {
        charge(value, where);
        return value;
    }
    void charge(const Value& value, Position where) {
        nodes_ += 1;
        if (value.is_array()) {
            for (const Value& item : value.items()) charge(item, where);
        } else if (value.is_object()) {
            for (const json::Member& member : value.members()) {
                bytes_ += member.key.size();
                charge(member.value, where);
            }
        } else {
            bytes_ += value.size();
        }
        if (nodes_ > limits_.copied_nodes || bytes_ > limits_.copied_bytes) fail(where, "aliases expand to too much");
    }

    // Members of the merged mappings stand behind the mapping's own and never replace them.
    static void merge(Value& value) {
        Value::Object own;
        std::vector<Value> sources;
        for (json::Member& member : value.make_object()) {
            if (member.key != "<<") {
                own.push_back(std::move(member));
            } else if (member.value.is_array()) {
                for (Value& item : member.value.make_array()) sources.push_back(std::move(item));
            } else {
                sources.push_back(std::move(member.value));
            }
        }
        value.make_object() = std::move(own);
        json::drop_repeated_members(value);
        for (Value& source : sources) {
            if (!source.is_object()) fail(source.where, "a merge key needs a mapping or a list of mappings");
            for (json::Member& member : source.make_object()) {
                if (!value.find(member.key)) value.make_object().push_back(std::move(member));
            }
        }
    }

    const YamlLimits& limits_;
    Value root_;
    std::vector<Open> open_;
    std::unordered_map<std::string, Value> anchors_;
    std::size_t nodes_ = 0, bytes_ = 0;
    int documents_ = 0;
};

[[noreturn]] void throw_first_error(fy_diag* diag) {
    void* previous = nullptr;
    for (const fy_diag_error* error; (error = fy_diag_errors_iterate(diag, &previous));) {
        if (error->type != FYET_ERROR) continue;
        const bool known = error->line > 0 && error->column > 0;  // counted from 1, unlike marks
        const Position where{static_cast<std::uint32_t>(error->line), static_cast<std::uint32_t>(error->column)};
        Reader::fail(known ? where : Position{}, error->msg ? error->msg : "not a YAML text");
    }
    Reader::fail({}, "not a YAML text");
}

// Length of the UTF-8 sequence that starts `text` (RFC 3629: no surrogates, no overlong forms); 0 if there is none.
std::size_t sequence_size(std::string_view text) noexcept {
    const auto byte = [&text](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const unsigned first = byte(0), second = byte(1);
    const auto follows = [&byte](std::size_t at) { return (byte(at) & 0xC0) == 0x80; };
    if (first < 0x80) return first != 0;
    if (first < 0xC2 || first > 0xF4 || !follows(1)) return 0;
    if (first < 0xE0) return 2;
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || !follows(2)) return 0;
    if (first < 0xF0) return 3;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F) || !follows(3)) return 0;
    return 4;
}

// fyaml gives no reason for these, so they are found first.
void refuse_bad_bytes(std::string_view text) {
    Position where{1, 1};
    for (std::size_t at = 0; at < text.size();) {
        const bool ascii = text[at] > 0;
        const std::size_t size = ascii ? 1 : sequence_size(text.substr(at, 4));
        if (size == 0) {
            Reader::fail(where, text[at] ? "the text is not UTF-8" : "the text holds a zero byte");
        }
        ++where.column;
        if (text[at] == '\n') where = {where.line + 1, 1};
        at += size;
    }
}

// fyaml hands out an event that must be given back whatever happens while it is read.
struct Event {
    fy_parser* parser;
    fy_event* event;
    ~Event() { fy_parser_event_free(parser, event); }
};

Value read_events(std::string_view text, const YamlLimits& limits) {
    fy_diag_cfg quiet;
    fy_diag_cfg_default(&quiet);
    quiet.fp = nullptr;
    quiet.colorize = false;
    const Owned<fy_diag> diag(fy_diag_create(&quiet));
    fy_diag_set_collect_errors(diag.get(), true);
    fy_parse_cfg settings{"", static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE),
                          nullptr, diag.get()};
    const Owned<fy_parser> parser(fy_parser_create(&settings));
    if (!parser || fy_parser_set_string(parser.get(), text.data(), text.size()) != 0) throw_first_error(diag.get());
    Reader reader(limits);
    while (fy_event* raw = fy_parser_parse(parser.get())) {
        const Event event{parser.get(), raw};
        reader.take(raw);
    }
    if (fy_parser_get_stream_error(parser.get())) throw_first_error(diag.get());
    return reader.result();
}

}  // namespace

Value read_yaml(std::string_view text, const YamlLimits& limits) {
    if (text.size() > limits.bytes) {
        Reader::fail({1, 1},
                     "YAML text of " + std::to_string(text.size()) + " bytes exceeds " + std::to_string(limits.bytes));
    }
    refuse_bad_bytes(text);
    if (text.empty()) return {};
    return read_events(text, limits);
}

std::optional<Value> try_read_yaml(std::string_view text, json::ParseFailure& why, const YamlLimits& limits) {
    try {
        return read_yaml(text, limits);
    } catch (const ParseError& error) {
        why = error.failure;
        return std::nullopt;
    }
}

}  // namespace gateway::config
