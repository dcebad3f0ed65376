// Consumers and their credentials as they are written, and how their ids are formed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/object_parts.hpp"

namespace gateway::config {

inline constexpr std::string_view username_pattern = R"(^[a-zA-Z0-9_\-]+$)";
bool is_username(std::string_view text) noexcept;

// "jack/credentials/c1": the form of a credential's id. Views into the text.
struct CredentialName {
    std::string_view username, id;
};
std::optional<CredentialName> credential_name(std::string_view object_id) noexcept;

// Whether objects of that kind can have this id.
bool is_id_of(Kind kind, std::string_view id) noexcept;

struct Consumer {
    std::string username, desc;
    std::optional<std::string> id;  // files may repeat the name
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    std::optional<ObjectId> group_id;
    RawObject plugins;

    static constexpr auto schema =
        fields(field("username", &Consumer::username, "name of the object", required, length(1, 256),
                     pattern(username_pattern, is_username)),
               field("id", &Consumer::id, "the same"), field("desc", &Consumer::desc, "for people", length(0, 256)),
               field("labels", &Consumer::labels, "free marks; custom_id is told to upstreams"),
               field("create_time", &Consumer::create_time, "no effect in files"),
               field("update_time", &Consumer::update_time, "no effect in files"),
               field("group_id", &Consumer::group_id, "group whose plugins it has too"),
               field("plugins", &Consumer::plugins, "credentials of auth plugins, settings of others"))
            .closed();
    static void check(const Consumer& consumer, Errors& errors);
};

// A credential object: works like the same auth entry on its consumer.
struct ConsumerCredential {
    std::optional<std::string> id;
    std::string name, desc;
    Labels labels;
    std::optional<std::int64_t> create_time, update_time;
    RawObject plugins;

    static constexpr auto schema =
        fields(field("id", &ConsumerCredential::id, "name of the object: <username>/credentials/<id>", length(15, 128)),
               field("name", &ConsumerCredential::name, "for people", length(1, 256)),
               field("desc", &ConsumerCredential::desc, "for people", length(0, 256)),
               field("labels", &ConsumerCredential::labels, "free marks"),
               field("create_time", &ConsumerCredential::create_time, "no effect in files"),
               field("update_time", &ConsumerCredential::update_time, "no effect in files"),
               field("plugins", &ConsumerCredential::plugins, "one auth plugin", items(0, 1)))
            .closed();
};

// Whether an item of the list `consumers` is a credential.
bool is_credential_object(const json::Value& item) noexcept;

}  // namespace gateway::config
