#include "libgateway/plugin/exchange.hpp"

#include "libgateway/base/log.hpp"

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
    consumer_ = consumer;
    consumer_name_ = arena_.copy(consumer->username);
    consumer_group_ = arena_.copy(consumer->group_id);
    const auto tell = [&](std::string_view field, std::string_view value) {
        if (value.empty() || !request.fields.set(field, value)) request.fields.remove(field);
    };
    tell("X-Consumer-Username", consumer_name_);
    tell("X-Credential-Identifier", arena_.copy(credential_id));
    tell("X-Consumer-Custom-ID", arena_.copy(consumer->custom_id));
}

Task<Verdict> Exchange::prepare_for(const Chain&) {
    co_return Verdict::next;
}

void Exchange::trace(std::string_view plugin, Phase phase, std::string_view where) {
    for (const Trace* known = first_trace_; known; known = known->next) {
        if (known->phase == phase && known->plugin == plugin) return;
    }
    Trace* made = arena_.make<Trace>(Trace{plugin, phase, arena_.copy(where), nullptr});
    (last_trace_ ? last_trace_->next : first_trace_) = made;
    last_trace_ = made;
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
    for (; ordered; ordered = ordered->next) response.fields.set(ordered->name, ordered->value, ordered->id);
}

void Exchange::clear() noexcept {
    request.clear();
    response.clear();
    uri = args = upstream_uri = upstream_host = upstream_scheme = request_body = {};
    upstream_method_text = client_text = forwarded_for = auth_failure = consumer_name_ = consumer_group_ = {};
    max_body_size = 0;
    if (consumer_) consumer_ = nullptr;
    if (chosen_) chosen_ = nullptr;
    consumers_ = &ConsumerDirectory::none();
    host = "_";
    has_args = args_changed = body_buffered = traced = merge_failed = false;
    upstream_method = http::Verb::unknown;
    source = ResponseSource::none;
    route_chain = nullptr;
    filter_results.fill(0);
    slots_ = nullptr;
    promises_ = nullptr;
    first_trace_ = last_trace_ = nullptr;
    custom_set_ = 0;
    reply_ = {};
    error_ = {};
    body_changes_ = false;
    recoding_ = {};
    arena_.reset();
}

}  // namespace gateway
