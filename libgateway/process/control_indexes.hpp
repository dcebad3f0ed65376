// What objects have to do with each other, kept up to date change by change: a write looks here instead of at all of
// them.
#pragma once

#include "libgateway/plugin/shared_groups.hpp"
#include "libgateway/sources/credential_index.hpp"
#include "libgateway/sources/document.hpp"
#include "libgateway/sources/reference_index.hpp"

namespace gateway::process {

// Of the objects in force; references also of those that are kept and refused. Made on the builder thread, changed on
// the loop thread of control.
struct Indexes {
    sources::CredentialIndex credentials;
    sources::ReferenceIndex references;
    SharedGroups groups;

    void add(const sources::Object& object);
    void remove(const sources::Object& object);
    void add_refused(config::Kind kind, const std::string& id, const std::string& json);
    void remove_refused(config::Kind kind, const std::string& id, const std::string& json);
};

// Whose groups of limits must agree.
bool shares_groups(config::Kind kind) noexcept;
// With nothing in them.
Indexes empty_indexes();
Indexes indexes_of(const sources::Document& document);

}  // namespace gateway::process
