// JSON Schemas that users write (drafts 4, 6 and 7 mixed): compiled once, then asked whether a document fits.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "libgateway/json/value.hpp"

namespace gateway::schema {

// A schema that cannot be used. what() is the whole reason.
struct SchemaError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Program;

// Immutable; one thread. Keywords that it does not know mean nothing, as the standard wants; known ones with values of
// the wrong kind are refused. `$ref` leads to a place in the same document (`#`, `#/definitions/a`), never outside.
class Schema {
public:
    // Throws SchemaError.
    explicit Schema(const json::Value& document);
    Schema(Schema&&) noexcept;
    Schema& operator=(Schema&&) noexcept;
    ~Schema();

    // Empty if the value fits, else why not, in the reference's words. Members that are missing and have a `default`
    // are added to the value, except below anyOf, oneOf, not, if and contains, where they count but are not added.
    // Work and nesting are bounded: what exceeds them does not fit.
    std::string check(json::Value& value) const;

private:
    std::unique_ptr<const Program> program_;
};

}  // namespace gateway::schema
