#include "libgateway/admin/inner_api.hpp"

#include <malloc.h>

#include <array>

#include "libgateway/admin/resource.hpp"
#include "libgateway/admin/schema_calls.hpp"
#include "libgateway/admin/target.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::admin {

namespace asio = boost::asio;
using config::Kind;
using json::Value;

namespace {

// "/v1/routes" for all of them, "/v1/route/<id>" for one.
struct Shelf {
    std::string_view all, one, list, name;
    Kind kind;
};
constexpr std::array shelves{
    Shelf{"routes", "route", "routes", "route", Kind::route},
    Shelf{"services", "service", "services", "service", Kind::service},
    Shelf{"upstreams", "upstream", "upstreams", "upstream", Kind::upstream},
    Shelf{"plugin_metadatas", "plugin_metadata", "plugin_metadata", "plugin metadata", Kind::plugin_metadata},
};

Value value_of(const store::Stored& object) {
    Value value = json::parse(object.json, {.positions = false});
    sources::mask_item(object.kind, object.id, value);
    return value;
}

Value entry_of(const Shelf& shelf, const store::Stored& object) {
    Value value = value_of(object);
    if (shelf.kind == Kind::plugin_metadata) return value;
    return Value::object({{"key", Value(std::string(store_prefix) + "/" + std::string(shelf.list) + "/" + object.id)},
                          {"value", std::move(value)},
                          {"createdIndex", object.created},
                          {"modifiedIndex", object.modified},
                          {"orig_modifiedIndex", object.modified},
                          {"update_count", object.modified == object.created ? 0 : 1},
                          {"clean_handlers", Value::object()}});
}

Reply schemas(const Objects& objects) {
    Value main = Value::object();
    for (const std::string_view name :
         {"consumer", "consumer_group", "global_rule", "plugin_config", "plugins", "proto", "route", "service", "ssl",
          "stream_route", "upstream", "upstream_hash_header_schema", "upstream_hash_vars_schema"})
        main.set(name, schema_document(name));
    return json_reply(200, json::write(Value::object({{"main", std::move(main)},
                                                      {"plugins", all_plugins(objects.rules().enabled_plugins)},
                                                      {"stream_plugins", Value::object()}})));
}

}  // namespace

Reply InnerApi::malformed() const {
    return page(400, settings_.page_token);
}

asio::awaitable<Reply> InnerApi::answer(Request request) {
    Reply reply = co_await route(request);
    reply.fields.emplace_back("Server", settings_.server_token);
    co_return reply;
}

Reply InnerApi::show(const std::string& word, const std::string& id) const {
    for (const Shelf& shelf : shelves) {
        if (word == shelf.all && id.empty()) {
            Value list = Value::array();
            objects_.each(shelf.kind, [&](const store::StoredPtr& object) {
                list.push(entry_of(shelf, *object));
                return true;
            });
            return json_reply(200, json::write(list));
        }
        if (word != shelf.one || id.empty()) continue;
        const store::StoredPtr object = objects_.find(shelf.kind, id);
        if (object) return json_reply(200, json::write(entry_of(shelf, *object)));
        return refuse(404, std::string(shelf.name) + "[" + id + "] not found");
    }
    return page(404, settings_.page_token);
}

asio::awaitable<Reply> InnerApi::route(const Request& request) {
    const Target target(request.target);
    const auto parts = target.below("/v1");
    if (!parts || parts->empty() || parts->size() > 3) co_return page(404, settings_.page_token);
    if (request.method == "GET" && parts->front() == "healthcheck")
        co_return answer_health(objects_, nodes_, request, *parts);
    if (parts->size() > 2) co_return page(404, settings_.page_token);
    const std::string& word = parts->front();
    const std::string id = parts->size() == 2 ? (*parts)[1] : std::string();
    if (request.method == "PUT" && word == "plugins" && id == "reload") {
        std::string refusal;
        if (reload_) refusal = co_await reload_();
        co_return refusal.empty() ? text_reply(200, "done") : refuse(503, refusal);
    }
    if (request.method == "POST" && word == "gc" && id.empty()) {
        ::malloc_trim(0);
        co_return Reply{};
    }
    if (request.method != "GET") co_return page(404, settings_.page_token);
    if (word == "schema" && id.empty()) co_return schemas(objects_);
    if (word == "config" && id == "errors")
        co_return json_reply(200, json::write(errors_ ? errors_() : Value::array()));
    co_return show(word, id);
}

}  // namespace gateway::admin
