// Random schemas and documents: the same are accepted as by valijson.
#include <boost/json/parse.hpp>
#include <random>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "libgateway/schema/schema.hpp"
#include "tests/support/catch.hpp"

using namespace gateway;

namespace {

// Small worlds, so that schemas and documents meet. No empty containers: the reference takes an empty array for an
// empty object, valijson does not. No multipleOf: valijson cuts fractions off first.
class Maker {
public:
    explicit Maker(unsigned seed) : random_(seed) {}

    std::string schema(int depth) {
        std::string out = "{";
        const int keywords = pick(3) + 1;
        for (int i = 0; i < keywords; ++i) {
            const auto [name, value] = keyword(depth);
            if (out.find("\"" + name + "\":") == std::string::npos) {
                out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
            }
        }
        return out + "}";
    }
    std::string document(int depth) {
        switch (pick(depth > 0 ? 7 : 5)) {
            case 0:
                return "null";
            case 1:
                return pick(2) ? "true" : "false";
            case 2:
                return text();
            case 3:
            case 4:
                return number();
            case 5:
                return list("[", "]", pick(3) + 1, [&](int) { return document(depth - 1); });
            default:
                return object(pick(3) + 1, [&] { return document(depth - 1); });
        }
    }

private:
    int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
    std::string number() { return std::to_string(pick(7) - 2) + (pick(4) == 0 ? ".5" : ""); }
    std::string text() {
        return "\"" + std::string(static_cast<std::size_t>(pick(4)), static_cast<char>('a' + pick(2))) + "\"";
    }
    static std::string key(int index) { return std::string("\"") + static_cast<char>('a' + index) + "\""; }
    template <class Each>
    std::string list(std::string open, const std::string& close, int count, Each each) {
        for (int i = 0; i < count; ++i) open += (i ? "," : "") + each(i);
        return open + close;
    }
    template <class Each>
    std::string object(int count, Each each) {
        return list("{", "}", count, [&](int i) { return key(i) + ":" + each(); });
    }
    std::string names() { return pick(2) ? "[\"a\"]" : "[\"b\",\"c\"]"; }
    std::string type() {
        static const char* const types[] = {"string", "number", "integer", "boolean", "object", "array", "null"};
        return std::string("\"") + types[pick(7)] + "\"";
    }
    std::string branches(int depth) {
        return list("[", "]", pick(2) + 1, [&](int) { return schema(depth - 1); });
    }

    std::pair<std::string, std::string> keyword(int depth) {
        const auto small = [this] { return std::to_string(pick(3)); };
        const int nested = depth > 0 ? pick(3) : 0;
        if (nested == 1) return branch_keyword(depth);
        if (nested == 2) return container_keyword(depth);
        switch (pick(13)) {
            case 0:
            case 1:
                return {"type", type()};
            case 2:
                return {"type", "[" + std::string("\"string\",\"object\"") + "]"};
            case 3:
                return {"minimum", number()};
            case 4:
                return {"exclusiveMaximum", number()};
            case 5:
                return {"maximum", number()};
            case 6:
                return {"minLength", small()};
            case 7:
                return {"pattern", pick(2) ? "\"^a\"" : "\"b$\""};
            case 8:
                return {"maxItems", small()};
            case 9:
                return {"minProperties", small()};
            case 10:
                return {"required", names()};
            case 11:
                return {"enum", list("[", "]", 3, [&](int) { return document(1); })};
            default:
                return {"const", document(1)};
        }
    }
    std::pair<std::string, std::string> branch_keyword(int depth) {
        static const char* const lists[] = {"anyOf", "oneOf", "allOf"};
        if (pick(3) == 0) return {"not", schema(depth - 1)};
        return {lists[pick(3)], branches(depth)};
    }
    std::pair<std::string, std::string> container_keyword(int depth) {
        const auto one = [&] { return schema(depth - 1); };
        switch (pick(8)) {
            case 0:
                return {"items", one()};
            case 1:
                return {"items", branches(depth)};
            case 2:
                return {"contains", one()};
            case 3:
                return {"additionalProperties", pick(2) ? "false" : one()};
            case 4:
                return {"patternProperties", "{\"^[ab]\":" + one() + "}"};
            case 5:
                return {"dependencies", "{\"a\":" + (pick(2) ? names() : one()) + "}"};
            case 6:
                return {"propertyNames", "{\"pattern\":\"[ab]\"}"};
            default:
                return {"properties", object(pick(3) + 1, one)};
        }
    }

    std::mt19937 random_;
};

bool ours(const std::string& schema_text, const std::string& document) {
    json::Value value = json::parse(document);
    return schema::Schema(json::parse(schema_text)).check(value).empty();
}

bool theirs(const std::string& schema_text, const std::string& document) {
    const boost::json::value schema_json = boost::json::parse(schema_text), value = boost::json::parse(document);
    valijson::Schema compiled;
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema_json), compiled);
    valijson::Validator validator;
    return validator.validate(compiled, valijson::adapters::BoostJsonAdapter(value), nullptr);
}

}  // namespace

TEST_CASE("schema: the same documents fit as for valijson", "[schema][oracle]") {
    int accepted = 0, refused = 0;
    for (unsigned seed = 1; seed <= 3000; ++seed) {
        Maker maker(seed);
        const std::string schema_text = maker.schema(3);
        for (int i = 0; i < 4; ++i) {
            const std::string document = maker.document(3);
            const bool fits = ours(schema_text, document);
            (fits ? accepted : refused) += 1;
            INFO(seed << " " << schema_text << " " << document);
            REQUIRE(fits == theirs(schema_text, document));
        }
    }
    CHECK(accepted > 1000);
    CHECK(refused > 1000);
}
