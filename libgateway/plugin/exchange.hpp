// One request and its response, as plugins see it, whatever the wire. Made by proxy/, pooled per worker, reused.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "libgateway/base/arena.hpp"
#include "libgateway/base/error.hpp"
#include "libgateway/expr/cidr.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/http/head.hpp"
#include "libgateway/plugin/consumer.hpp"
#include "libgateway/plugin/facts.hpp"
#include "libgateway/plugin/phase.hpp"
#include "libgateway/plugin/services.hpp"
#include "libgateway/upstream/upstream.hpp"

namespace gateway {

class Plugin;
class Chain;
class DebugHooks;

// An answer of the gateway's own. Views must live as long as the exchange (arena, settings of the plugin, static text).
// Fields that a plugin puts into `exchange.response.fields` before it responds go out with the answer.
struct LocalReply {
    enum class Body : std::uint8_t {
        bytes,  // `body` as it is; Content-Type text/plain; charset=utf-8 unless a field or a plugin says otherwise
        json,   // `body` is compact JSON; a newline is appended
        page,   // the built-in HTML page of the status, empty for codes without one
    };
    unsigned status = 500;
    Body kind = Body::page;
    std::string_view body;
};

// A piece of a response body on its way to the client. A plugin may point `bytes` at other bytes, made in `scratch`.
struct BodyChunk {
    std::string_view bytes;
    bool last = false;  // nothing follows; `bytes` may be empty
    Arena& scratch;     // emptied after this chunk was written: memory stays bounded whatever the body's size
};

enum class ResponseSource : std::uint8_t { none, upstream, plugin, gateway };

class Exchange : public expr::VariableSource {
public:
    // --- request. Changes of method, target and fields made in rewrite, access and before_proxy are what the upstream
    // gets.
    http::RequestHead request;  // fields: one table for variables `http_*` and for the upstream
    std::string_view uri;       // normalised path, variable `uri`
    std::string_view args;      // raw query without `?`
    bool has_args = false;
    std::string_view
        upstream_uri;  // whole target to send, escaped, with its query; empty: as received, see upstream_target
    bool args_changed = false;       // `args` are not those of the original target any more
    std::string_view host;           // normalised host (port cut, lower case), "_" if none
    std::string_view upstream_host;  // Host to send, set by a plugin; empty: by the upstream's pass_host
    // The upstream in place of the route's, chosen before before_proxy: what consumers().upstream_for gave. Null: the
    // route's.
    void use_upstream(const upstream::Upstream* chosen) noexcept { chosen_ = Ref<const upstream::Upstream>(chosen); }
    const Ref<const upstream::Upstream>& chosen_upstream() const noexcept { return chosen_; }
    std::string_view upstream_scheme;  // set by a plugin; empty: the upstream's
    std::string_view scheme = "http";
    std::string_view request_body;  // whole body, if something declared to need it; valid when body_buffered
    bool body_buffered = false;
    std::uint64_t max_body_size = 0;                   // bytes of a request body that are accepted; 0: any number
    http::Verb upstream_method = http::Verb::unknown;  // unknown: method_text of the request
    std::string_view upstream_method_text;

    // --- who asks
    expr::Address client;          // after real-ip
    std::string_view client_text;  // the same as text
    std::uint16_t client_port = 0;
    // X-Forwarded-For as received, if its sender may be believed (`apisix.trusted_addresses`); views the head.
    std::string_view forwarded_for;
    // Somebody else is the client from here on, also in X-Real-IP and X-Forwarded-For to the upstream.
    void change_client(const expr::Address& address, std::uint16_t port);

    // Where auth plugins look credentials up; empty once the request phases are over.
    const ConsumerDirectory& consumers() const noexcept { return *consumers_; }
    // The request is made for this consumer: sets variables consumer_name and consumer_group_id and the three fields
    // that tell the upstream, removing forged ones. The last one attached counts. `credential_id` may be empty.
    void attach(const Ref<const Consumer>& consumer, std::string_view credential_id);
    const Ref<const Consumer>& consumer() const noexcept { return consumer_; }  // null: nobody yet
    bool merge_failed = false;  // the reply is there because the consumer's plugins cannot be had
    // What the plugins of a chain that was merged meanwhile need of the request (its body). `next`: they may run.
    virtual Task<Verdict> prepare_for(const Chain& merged);
    // Why an auth plugin turned the request away, for the log of multi-auth. Static text, or in the arena.
    std::string_view auth_failure;

    // --- response. Filled before header_filter; a header_filter may change status and fields.
    http::ResponseHead response;
    ResponseSource source = ResponseSource::none;
    // To be called in header_filter by a plugin that will change the body: drops Content-Length and what describes the
    // old bytes (Last-Modified, ETag). response.body keeps telling how the upstream's body is framed.
    void body_will_change() noexcept;
    // The same for a body whose bytes are all new: drops Content-Encoding too.
    void body_will_be_replaced() noexcept;
    bool body_changes() const noexcept { return body_changes_; }
    // For a plugin that encodes what the body filters have left over: later header_filters still see a plain body, the
    // head says so after them. `coding` is static text.
    void recode_body(std::string_view coding) noexcept;
    bool recoded() const noexcept { return !recoding_.empty(); }
    // After all header_filters; writes what recode_body announced.
    void finish_response_head();

    // A field of the answer, whoever will make it: the upstream, a plugin, the gateway. Replaces fields of that name
    // that the answer has by itself; set before header_filter. Views as in a reply; `id` is the number of `name`.
    void promise(std::string_view name, std::string_view value, http::FieldName id) {
        promises_ = arena_.make<Promise>(Promise{name, value, id, promises_});
    }
    // By the owner, once the head of the answer is there.
    void keep_promises() noexcept {
        if (promises_) [[unlikely]]
            set_promised();
    }

    // --- how a hook ends the request; both for `return exchange.respond_with(...)`
    Verdict respond_with(const LocalReply& reply) noexcept {
        reply_ = reply;
        return Verdict::respond;
    }
    Verdict fail_with(const Error& error) noexcept {
        error_ = error;
        return Verdict::fail;
    }
    const LocalReply& reply() const noexcept { return reply_; }
    LocalReply& reply() noexcept { return reply_; }
    const Error& error() const noexcept { return error_; }

    Arena& arena() noexcept { return arena_; }
    Services& services() const noexcept { return *services_; }
    // Value of a variable of the specification (router.md 9) as text in the arena or elsewhere alive; false if absent.
    bool read(const expr::Variable& variable, expr::VariableValue& out) const override = 0;

    // Of the matched route; empty: there is none.
    virtual std::string_view route_id() const noexcept { return {}; }
    // How it went, for the log phase.
    virtual ExchangeFacts facts() const;
    // The first `limit` bytes of the request body are kept for the log phase as they pass. Before the body is read.
    void keep_request_body(std::size_t limit) noexcept { kept_limit_ = limit > kept_limit_ ? limit : kept_limit_; }
    // What was kept, at least as much as was asked for if there was so much.
    std::string_view kept_request_body() const noexcept {
        return body_buffered ? request_body : std::string_view(kept_body_);
    }

    // The request target to write to the upstream: upstream_uri, else the original one, with `args` where they changed.
    std::string_view upstream_target();

    // State of one plugin instance for this exchange: made on first use, value-initialised, freed with the arena.
    template <class T>
    T& slot(const Plugin& plugin) {
        static_assert(std::is_trivially_destructible_v<T>, "slots are freed with the arena");
        for (Slot* slot = slots_; slot; slot = slot->next) {
            if (slot->plugin == &plugin) return *static_cast<T*>(slot->state);
        }
        T* state = arena_.make<T>();
        slots_ = arena_.make<Slot>(Slot{&plugin, state, slots_});
        return *state;
    }
    // A value that other plugins and the access log can read as a variable (expr: kind custom), e.g. apisix_request_id.
    void set_custom(std::size_t index, std::string_view value) noexcept {
        if (index < custom_.size()) custom_[index] = value, custom_set_ |= 1u << index;
    }
    bool custom(std::size_t index, std::string_view& value) const noexcept {
        if (index >= custom_.size() || !(custom_set_ >> index & 1)) return false;
        value = custom_[index];
        return true;
    }

    // The chain of the matched route, for global plugins that step aside for it; null before the match.
    const Chain* route_chain = nullptr;
    // Results of `_meta.filter` of each instance of a chain: 0 unknown, 1 run, 2 skip. Index given by the chain.
    std::array<std::uint8_t, 64> filter_results{};

    // What ran, in order, for the debug header; recorded only while `traced`.
    struct Trace {
        std::string_view plugin;
        Phase phase;
        std::string_view where;  // the object whose settings it ran with: "routes/12", "consumers/jack"
        std::int64_t cpu_ns = 0, wait_ns = 0;
        Trace* next = nullptr;
    };
    bool traced = false;
    bool timed = false;                 // one exchange in 64: the time that hooks take is measured
    const DebugHooks* hooks = nullptr;  // advanced debug mode; `traced` is set with it
    // Name of the debug header once it is set: what runs afterwards and is not in it is logged under that name.
    std::string_view debug_field;
    // The entry of that plugin and phase, made at the first call.
    Trace& trace(std::string_view plugin, Phase phase, std::string_view where);
    const Trace* traces() const noexcept { return first_trace_; }

protected:
    Exchange() = default;
    ~Exchange() = default;
    // Ready for the next request; the arena keeps its first block.
    void clear() noexcept;
    // Variables that follow from the members above alone; what it does not know is left to the derived class.
    bool read_own(const expr::Variable& variable, expr::VariableValue& out) const;

    mutable Arena arena_{2048};
    Services* services_ = nullptr;
    // A piece of the request body that begins at `offset`; one that came before is not kept again.
    void keep_piece(std::uint64_t offset, std::string_view piece) {
        if (offset != kept_body_.size() || offset >= kept_limit_) return;
        kept_body_.append(piece.substr(0, kept_limit_ - kept_body_.size()));
    }
    std::size_t kept_limit_ = 0;
    std::string kept_body_;
    const ConsumerDirectory* consumers_ = &ConsumerDirectory::none();

private:
    struct Slot {
        const Plugin* plugin;
        void* state;
        Slot* next;
    };
    struct Promise {
        std::string_view name, value;
        http::FieldName id;
        Promise* next;  // the one before
    };
    void set_promised() noexcept;

    Slot* slots_ = nullptr;
    Promise* promises_ = nullptr;
    Trace *first_trace_ = nullptr, *last_trace_ = nullptr;
    Ref<const Consumer> consumer_;
    Ref<const upstream::Upstream> chosen_;
    std::string_view consumer_name_, consumer_group_;  // in the arena: a later consumer leaves them as they were
    std::array<std::string_view, 16> custom_{};
    std::uint32_t custom_set_ = 0;
    LocalReply reply_;
    Error error_;
    bool body_changes_ = false;
    std::string_view recoding_;
};

}  // namespace gateway
