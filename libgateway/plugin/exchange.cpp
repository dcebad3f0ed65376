#include "libgateway/plugin/exchange.hpp"

#include <array>

#include "libgateway/base/log.hpp"
#include "libgateway/plugin/debug_hooks.hpp"

namespace gateway {

using http::FieldName;

void Exchange::body_will_change() noexcept {
    body_changes_ = true;
    for (const FieldName name : {FieldName::content_length, FieldName::last_modified, FieldName::etag}) {
        response.fields.remove(name);
    }
}

void Exchange::body_will_be_replaced() noexcept {
    body_will_change();
    response.fields.remove(FieldName::content_encoding);
}

void Exchange::recode_body(std::string_view coding) noexcept {
    body_changes_ = true;
    recoding_ = coding;
    response.fields.remove(FieldName::content_length);
}

// Other bytes of the same meaning: the tag becomes weak (RFC 9110, 8.8.1).
void Exchange::finish_response_head() {
    if (recoding_.empty()) return;
    const std::string_view tag = response.fields.get(FieldName::etag);
    bool room = response.fields.set(FieldName::content_encoding, recoding_);
    if (!tag.empty() && !tag.starts_with("W/"))
        room = response.fields.set(FieldName::etag, arena_.join("W/", tag)) && room;
    if (!room) log::error("no room for the field Content-Encoding");
}

std::string_view Exchange::upstream_target() {
    if (!upstream_uri.empty()) return upstream_uri;
    const std::string_view path = request.raw_path;
    if (args_changed) return has_args ? arena_.join(path, "?", args) : path;
    const std::size_t size = path.size() + (request.has_query ? 1 + request.query.size() : 0);
    if (request.target.data() == path.data() && request.target.size() == size) return request.target;
    return request.has_query ? arena_.join(path, "?", request.query) : path;
}

void Exchange::change_client(const expr::Address& address, std::uint16_t port) {
    client = address;
    client_port = port;
    client_text = arena_.copy(address.text());
    http::Fields& fields = request.fields;
    const bool room = fields.set("X-Real-IP", client_text) &&
                      fields.set("X-Forwarded-For",
                                 forwarded_for.empty() ? client_text : arena_.join(forwarded_for, ", ", client_text));
    if (!room) log::error("no room for the fields of the client's address");
}

void Exchange::attach(const Ref<const Consumer>& consumer, std::string_view credential_id) {
    debug_before(DebugPoint::attach_consumer, *this);
    consumer_ = consumer;
    consumer_name_ = arena_.copy(consumer->username);
    consumer_group_ = arena_.copy(consumer->group_id);
    const std::array<http::Field, 3> told{{{"X-Consumer-Username", consumer_name_},
                                           {"X-Credential-Identifier", arena_.copy(credential_id)},
                                           {"X-Consumer-Custom-ID", arena_.copy(consumer->custom_id)}}};
    for (const http::Field& field : told) {
        request.fields.remove(field.name, FieldName::unknown);  // a client does not say who it is
    }
    for (const http::Field& field : told) {
        if (!field.value.empty() && !request.fields.add(field.name, field.value, FieldName::unknown))
            log::error("no room for the field {}", field.name);
    }
    debug_after(DebugPoint::attach_consumer, *this);
}

Task<Verdict> Exchange::prepare_for(const Chain&) {
    co_return Verdict::next;
}

Exchange::Trace& Exchange::trace(std::string_view plugin, Phase phase, std::string_view where) {
    for (Trace* known = first_trace_; known; known = known->next) {
        if (known->phase == phase && known->plugin == plugin) return *known;
    }
    Trace* made = arena_.make<Trace>(Trace{plugin, phase, arena_.copy(where)});
    (last_trace_ ? last_trace_->next : first_trace_) = made;
    last_trace_ = made;
    if (!debug_field.empty()) log::warn("{}: {}#{}", debug_field, plugin, name_of(phase));
    return *made;
}

ExchangeFacts Exchange::facts() const {
    ExchangeFacts known;
    known.status = response.status;
    known.response_source = source == ResponseSource::upstream  ? "upstream"
                            : source == ResponseSource::gateway ? "nginx"
                                                                : "apisix";
    return known;
}

// The first promise is the last of the list, so that fields come out in the order of their promises.
void Exchange::set_promised() noexcept {
    Promise* ordered = nullptr;
    while (promises_) {
        Promise* next = promises_->next;
        promises_->next = ordered;
        ordered = promises_;
        promises_ = next;
    }
    for (const Promise* promise = ordered; promise; promise = promise->next) {
        response.fields.remove(promise->name, promise->id);
    }
    // Of equal names the last one counts.
    for (const Promise* promise = ordered; promise; promise = promise->next) {
        bool repeated = false;
        for (const Promise* later = promise->next; later; later = later->next) {
            repeated = repeated || (later->id == promise->id && iequals(later->name, promise->name));
        }
        if (!repeated) response.fields.add(promise->name, promise->value, promise->id);
    }
}

void Exchange::clear() noexcept {
    if (kept_limit_ != 0) {
        kept_limit_ = 0;
        if (kept_body_.capacity() > 65536) std::string().swap(kept_body_);
        kept_body_.clear();
    }
    request.clear();
    response.clear();
    uri = args = upstream_uri = upstream_host = upstream_scheme = request_body = {};
    upstream_method_text = client_text = forwarded_for = auth_failure = consumer_name_ = consumer_group_ = {};
    max_body_size = 0;
    if (consumer_) consumer_ = nullptr;
    if (chosen_) chosen_ = nullptr;
    consumers_ = &ConsumerDirectory::none();
    host = "_";
    has_args = args_changed = body_buffered = traced = timed = merge_failed = false;
    upstream_method = http::Verb::unknown;
    source = ResponseSource::none;
    route_chain = nullptr;
    filter_results.fill(0);
    slots_ = nullptr;
    promises_ = nullptr;
    first_trace_ = last_trace_ = nullptr;
    hooks = nullptr;
    debug_field = {};
    custom_set_ = 0;
    reply_ = {};
    error_ = {};
    body_changes_ = false;
    recoding_ = {};
    arena_.reset();
}

}  // namespace gateway
