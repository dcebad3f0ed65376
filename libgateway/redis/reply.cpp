#include "libgateway/redis/reply.hpp"

#include <hiredis/read.h>

namespace gateway::redis {

namespace {

// Releases of hiredis count elements in different types.
template <class Function>
struct CountOf;
template <class Count>
struct CountOf<void* (*)(const redisReadTask*, Count)> {
    using type = Count;
};
using Count = CountOf<decltype(redisReplyObjectFunctions::createArray)>::type;

// Where the value of a task goes: into its place in the parent, or into an object of its own.
Reply* place_of(const redisReadTask* task) {
    if (!task->parent) return new Reply;
    auto* parent = static_cast<Reply*>(task->parent->obj);
    return &parent->items[static_cast<std::size_t>(task->idx)];
}

Reply::Kind kind_of(int type) noexcept {
    switch (type) {
        case REDIS_REPLY_STATUS:
            return Reply::Kind::status;
        case REDIS_REPLY_ERROR:
            return Reply::Kind::error;
        default:
            return Reply::Kind::text;
    }
}

void* create_string(const redisReadTask* task, char* bytes, std::size_t size) {
    Reply* reply = place_of(task);
    reply->kind = kind_of(task->type);
    reply->text.assign(bytes, size);
    return reply;
}
void* create_array(const redisReadTask* task, Count count) {
    // A negative count, where hiredis has a signed type for it, is a huge one here.
    if (static_cast<std::size_t>(count) > ReplyReader::most_items) return nullptr;
    Reply* reply = place_of(task);
    reply->kind = Reply::Kind::array;
    reply->items.resize(static_cast<std::size_t>(count));
    return reply;
}
void* create_integer(const redisReadTask* task, long long value) {
    Reply* reply = place_of(task);
    reply->kind = Reply::Kind::integer;
    reply->integer = value;
    return reply;
}
void* create_nil(const redisReadTask* task) {
    return place_of(task);
}
// Only ever called for the outermost object.
void free_reply(void* reply) {
    delete static_cast<Reply*>(reply);
}

// The types of RESP3, which hiredis knows from version 1 on: without a function it hands out numbers as pointers.
template <class Functions>
void add_later_types(Functions& functions) noexcept {
    if constexpr (requires { functions.createDouble; }) {
        functions.createDouble = [](const redisReadTask* task, double, char* text, std::size_t size) -> void* {
            return create_string(task, text, size);
        };
    }
    if constexpr (requires { functions.createBool; }) {
        functions.createBool = [](const redisReadTask* task, int value) -> void* {
            return create_integer(task, value);
        };
    }
}

redisReplyObjectFunctions make_functions() noexcept {
    redisReplyObjectFunctions functions{};
    functions.createString = create_string;
    functions.createArray = create_array;
    functions.createInteger = create_integer;
    functions.createNil = create_nil;
    functions.freeObject = free_reply;
    add_later_types(functions);
    return functions;
}

}  // namespace

struct ReplyReader::Impl {
    redisReplyObjectFunctions functions = make_functions();
    redisReader* reader = redisReaderCreateWithFunctions(&functions);
    bool broken = reader == nullptr;
    ~Impl() {
        if (reader) redisReaderFree(reader);
    }
};

ReplyReader::ReplyReader() : impl_(std::make_unique<Impl>()) {}
ReplyReader::~ReplyReader() = default;
ReplyReader::ReplyReader(ReplyReader&&) noexcept = default;
ReplyReader& ReplyReader::operator=(ReplyReader&&) noexcept = default;

void ReplyReader::feed(std::string_view bytes) {
    redisReader* reader = impl_->reader;
    if (impl_->broken || bytes.empty()) return;
    if (reader->len - reader->pos + bytes.size() > most_bytes ||
        redisReaderFeed(reader, bytes.data(), bytes.size()) != REDIS_OK)
        impl_->broken = true;
}

ReplyReader::State ReplyReader::next(Reply& out) {
    void* found = nullptr;
    if (impl_->broken || redisReaderGetReply(impl_->reader, &found) != REDIS_OK) {
        impl_->broken = true;
        return State::broken;
    }
    if (!found) return State::need_more;
    const std::unique_ptr<Reply> reply(static_cast<Reply*>(found));
    out = std::move(*reply);
    return State::complete;
}

void append_command(std::string& to, std::span<const std::string_view> words) {
    const auto number = [&to](char mark, std::size_t value) {
        to.append(1, mark).append(std::to_string(value)).append("\r\n");
    };
    number('*', words.size());
    for (const std::string_view word : words) {
        number('$', word.size());
        to.append(word).append("\r\n");
    }
}

}  // namespace gateway::redis
