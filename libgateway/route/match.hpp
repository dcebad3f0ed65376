// What a match is asked with and what it answers: handle, views and captures, no allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/base/ref_counted.hpp"
#include "libgateway/expr/cidr.hpp"
#include "libgateway/expr/variable.hpp"
#include "libgateway/route/pattern.hpp"
#include "libgateway/route/rule.hpp"

namespace gateway::route {

struct MatchInput {
    std::string_view path;      // normalised (http::NormalisedPath::match)
    std::string_view host;      // normalised: lower case, without port; "_" if there is none
    std::string_view raw_host;  // as the client wrote it, with its port
    std::uint32_t method = 0;   // method_bit(); 0: outside the enumeration
    expr::Address client;
    const expr::VariableSource* variables = nullptr;  // null: every variable is absent
};

// What an EntryList begins with: its only entry, or the root of a tree of entries.
struct Listed : RefCounted {
    explicit Listed(bool entry) noexcept : is_entry(entry) {}
    static void dispose(const Listed* one) noexcept;
    const bool is_entry;
};

// One (route, pattern) pair of the index; shared by all versions of the router that hold it.
struct Entry : Listed {
    Entry() noexcept : Listed(true) {}
    Ref<const RouteRule> rule;
    Pattern pattern;        // views the text in rule->uris
    std::uint32_t uri = 0;  // which of rule->uris
};

// Keeps its route alive, whatever becomes of the router. Views the path it was made with.
class RouteMatch {
public:
    RouteMatch() noexcept = default;
    RouteMatch(Ref<const Entry> entry, std::string_view path) noexcept : entry_(std::move(entry)), path_(path) {}

    explicit operator bool() const noexcept { return static_cast<bool>(entry_); }
    const RouteRule* rule() const noexcept { return entry_ ? entry_->rule.get() : nullptr; }
    // The derived class that the caller handed in.
    template <class Rule>
    const Rule* as() const noexcept {
        return static_cast<const Rule*>(rule());
    }
    // Text of the pattern that matched (`matched._path`).
    std::string_view pattern() const noexcept { return entry_->pattern.text(); }
    // `uri_param_<name>`; false if the pattern captures no such name. Matches the template again: for the few who ask.
    bool param(std::string_view name, std::string_view& value) const noexcept {
        return entry_ && entry_->pattern.param(name, path_, value);
    }
    template <class Each>
    void each_param(Each&& each) const {
        if (entry_) entry_->pattern.each_param(path_, each);
    }
    // `matched._host`: the wildcard that covers the request's host, else the host itself. Linear in the route's hosts.
    std::string_view host(const MatchInput& input) const noexcept;

private:
    Ref<const Entry> entry_;
    std::string_view path_;
};

// Told of every candidate that a search looks at, in order; used by explain only.
class MatchObserver {
public:
    // `failed` names the first condition that did not hold: "method", "remote_addr", "host", "vars[1]: arg_n == jack",
    // "template".
    virtual void rejected(const Entry& candidate, std::string_view failed) = 0;
    virtual void taken(const Entry& candidate) = 0;

protected:
    ~MatchObserver() = default;
};

// A route that did not match, and why.
struct NearMiss {
    Ref<const RouteRule> rule;
    std::string_view pattern;  // in rule->uris
    std::string failed;        // as MatchObserver::rejected, or "path"
};

// Whether a host pattern (router.md 5, lower case) covers a request's host; patterns with a port look at the raw one.
bool host_covers(std::string_view pattern, std::string_view host, std::string_view raw_host) noexcept;

}  // namespace gateway::route
