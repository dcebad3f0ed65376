#include "libgateway/etcd/messages.hpp"

#include "libgateway/base/strings.hpp"
#include "libgateway/keyring/base64.hpp"

namespace gateway::etcd {

namespace {

using json::Value;

constexpr std::size_t deepest = 32;

[[noreturn]] void garbled(const std::string& what) {
    throw Failure(Cause::garbled, "the answer is not etcd's: " + what);
}

Value base64(std::string_view bytes) {
    return keyring::encode_base64(bytes);
}
// int64 travels as text.
template <class Int>
Value number(Int value) {
    return std::to_string(value);
}

// etcd leaves out what is zero; a number is text, but a plain one is read as well.
std::uint64_t number_in(const Value& object, std::string_view name) {
    const Value* found = object.find(name);
    if (!found) return 0;
    const auto value = parse_decimal<std::uint64_t>(found->is_number() ? found->number() : found->string());
    if (!value) garbled("\"" + std::string(name) + "\" is no whole number");
    return *value;
}

bool flag_in(const Value& object, std::string_view name) {
    const Value* found = object.find(name);
    if (found && !found->is_boolean()) garbled("\"" + std::string(name) + "\" is no boolean");
    return found && found->boolean();
}

const std::string& text_in(const Value& object, std::string_view name) {
    static const std::string none;
    const Value* found = object.find(name);
    if (found && !found->is_string()) garbled("\"" + std::string(name) + "\" is no text");
    return found ? found->string() : none;
}

const Value::Array& list_in(const Value& object, std::string_view name) {
    static const Value::Array none;
    const Value* found = object.find(name);
    if (found && !found->is_array()) garbled("\"" + std::string(name) + "\" is no array");
    return found ? found->items() : none;
}

std::string bytes_in(const Value& object, std::string_view name) {
    auto bytes = keyring::decode_base64(text_in(object, name));
    if (!bytes) garbled("\"" + std::string(name) + "\" is no base64");
    return std::move(*bytes);
}

Header header_of(const Value& answer) {
    const Value* header = answer.find("header");
    if (!header) return {};
    if (!header->is_object()) garbled("\"header\" is no object");
    return {text_in(*header, "cluster_id"), number_in(*header, "revision")};
}

Entry entry_of(const Value& item) {
    if (!item.is_object()) garbled("a key is no object");
    Entry entry{bytes_in(item, "key"), bytes_in(item, "value"), number_in(item, "create_revision"),
                number_in(item, "mod_revision")};
    if (entry.key.empty() || entry.modified == 0 || entry.created > entry.modified) {
        garbled("a key without name or revision");
    }
    return entry;
}

Event event_of(const Value& item) {
    if (!item.is_object()) garbled("an event is no object");
    const std::string& type = text_in(item, "type");
    if (!type.empty() && type != "PUT" && type != "DELETE") garbled("an event of an unknown type");
    const Value* entry = item.find("kv");
    if (!entry) garbled("an event without a key");
    return {type == "DELETE", entry_of(*entry)};
}

Value compare_of(const Write& write) {
    return Value::object({{"key", base64(write.key)},
                          {"target", "MOD"},
                          {"result", "EQUAL"},
                          {"mod_revision", number(*write.expected)}});
}

Value operation_of(const Write& write) {
    if (!write.value) return Value::object({{"request_delete_range", Value::object({{"key", base64(write.key)}})}});
    Value put = Value::object({{"key", base64(write.key)}, {"value", base64(*write.value)}});
    if (write.lease != 0) put.set("lease", number(write.lease));
    if (write.lease == 0 && write.keeps_lease) put.set("ignore_lease", true);
    return Value::object({{"request_put", std::move(put)}});
}

// The failure that a stream reports instead of a result; two forms, by the age of etcd.
Failure stream_failure(const Value& error) {
    if (!error.is_object()) return {Cause::garbled, "the watch ended with an error that cannot be read"};
    const Value* code = error.find("grpc_code");
    if (!code) code = error.find("code");
    const Value* text = error.find("message");
    return failure_of_code(code ? code->as_int64().value_or(0) : 0, text ? text->string() : std::string("no reason"));
}

}  // namespace

std::string end_of(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty()) {
        const auto last = static_cast<unsigned char>(end.back());
        if (last != 0xff) {
            end.back() = static_cast<char>(last + 1);
            return end;
        }
        end.pop_back();
    }
    return std::string(1, '\0');
}

Value range_request(std::string_view key, std::string_view end, std::uint64_t revision, std::size_t limit) {
    Value request = Value::object({{"key", base64(key)}});
    if (!end.empty()) request.set("range_end", base64(end));
    if (revision != 0) request.set("revision", number(revision));
    if (limit != 0) request.set("limit", number(limit));
    return request;
}

Value commit_request(std::span<const Write> writes) {
    Value compare = Value::array(), success = Value::array(), failure = Value::array();
    for (const Write& write : writes) {
        success.push(operation_of(write));
        if (!write.expected) continue;
        compare.push(compare_of(write));
        failure.push(Value::object({{"request_range", Value::object({{"key", base64(write.key)}})}}));
    }
    return Value::object(
        {{"compare", std::move(compare)}, {"success", std::move(success)}, {"failure", std::move(failure)}});
}

Value lease_request(std::int64_t seconds) {
    return Value::object({{"TTL", number(seconds)}, {"ID", "0"}});
}

Value login_request(std::string_view user, std::string_view password) {
    return Value::object({{"name", user}, {"password", password}});
}

Value watch_request(std::string_view prefix, std::uint64_t from) {
    Value create = Value::object({{"key", base64(prefix)}, {"range_end", base64(end_of(prefix))}});
    create.set("start_revision", number(from));
    create.set("progress_notify", true);
    create.set("fragment", true);
    return Value::object({{"create_request", std::move(create)}});
}

Value read_answer(std::string_view body) {
    json::ParseFailure why;
    auto answer = json::try_parse(body, why, {deepest, body.size() + 1, false});
    if (!answer) garbled(why.what);
    if (!answer->is_object()) garbled("no object");
    return std::move(*answer);
}

Page read_page(const Value& answer) {
    Page page{header_of(answer), {}, flag_in(answer, "more")};
    if (page.header.revision == 0) garbled("no revision");
    for (const Value& item : list_in(answer, "kvs")) page.entries.push_back(entry_of(item));
    if (page.more && page.entries.empty()) garbled("more is to come, but nothing came");
    return page;
}

Committed read_commit(const Value& answer) {
    Committed result{flag_in(answer, "succeeded"), header_of(answer).revision, {}};
    if (result.revision == 0) garbled("no revision");
    if (result.done) return result;
    for (const Value& response : list_in(answer, "responses")) {
        const Value* range = response.find("response_range");
        if (!range) continue;
        for (const Value& item : list_in(*range, "kvs")) result.found.push_back(entry_of(item));
    }
    return result;
}

std::int64_t read_lease(const Value& answer) {
    const std::uint64_t id = number_in(answer, "ID");
    if (id == 0 || id > static_cast<std::uint64_t>(INT64_MAX)) garbled("a lease without number");
    return static_cast<std::int64_t>(id);
}

std::string read_login(const Value& answer) {
    const std::string& token = text_in(answer, "token");
    const bool plain = token.find_first_of(std::string_view("\r\n\0 ", 4)) == token.npos;
    if (token.empty() || token.size() > 8192 || !plain) garbled("no usable token");
    return token;
}

WatchMessage read_watch_message(std::string_view line) {
    const Value message = read_answer(line);
    if (const Value* error = message.find("error")) throw stream_failure(*error);
    const Value* result = message.find("result");
    if (!result || !result->is_object()) garbled("a message without result");
    WatchMessage read{header_of(*result),
                      flag_in(*result, "created"),
                      flag_in(*result, "canceled"),
                      flag_in(*result, "fragment"),
                      number_in(*result, "compact_revision"),
                      text_in(*result, "cancel_reason"),
                      {}};
    for (const Value& item : list_in(*result, "events")) read.events.push_back(event_of(item));
    return read;
}

}  // namespace gateway::etcd
