// Parts of a write: the body, ids, times, time to live, conditions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/target.hpp"
#include "libgateway/json/value.hpp"
#include "libgateway/store/object.hpp"

namespace gateway::admin {

// Fills `body`, or answers what is wrong with the text.
std::optional<Reply> parse_body(std::string_view text, json::Value& body);

// First in the object; an id that is there is replaced.
void set_id(json::Value& value, std::string_view id);
// "00000000000000000042"
std::string generated_id(std::uint64_t number);
// An id that cannot be one.
Reply bad_id();

// "the property is forbidden:  create_time"; empty if the object sets no times.
std::string forbidden_times(const json::Value& value);
// Times of an object that is written whole: made when the one before it was made, changed now.
void set_times(json::Value& value, const store::Stored* before);
// Times of an object that is changed: `timed` if the change itself says when.
void touch_times(json::Value& value, const store::Stored& before, bool timed);

// The parameter `ttl` as wall-clock time; `otherwise` without it. 0: never.
std::optional<Reply> read_ttl(const Target& target, std::int64_t otherwise, std::int64_t& expires_ms);

// If-Match: `*`, or a modifiedIndex with or without quotes.
struct Condition {
    bool valid = false, any = false;
    std::uint64_t index = 0;
};
Condition read_condition(std::string_view text) noexcept;

}  // namespace gateway::admin
