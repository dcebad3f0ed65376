#include "libgateway/admin/listing.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "libgateway/json/value.hpp"
#include "libgateway/sources/check.hpp"

namespace gateway::admin {

namespace {

constexpr double least_page = 10, greatest_page = 500, last_page = 1e15;

std::optional<double> number_of(const std::string* text) {
    double number = 0;
    if (!text || text->empty()) return std::nullopt;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    const bool whole = error == std::errc() && end == text->data() + text->size() && std::isfinite(number);
    return whole ? std::optional(number) : std::nullopt;
}

bool has_path(const json::Value& value, const expr::Regex& pattern) {
    const json::Value* uri = value.find("uri");
    if (uri && pattern.search(uri->string())) return true;
    const json::Value* uris = value.find("uris");
    if (!uris) return false;
    return std::any_of(uris->items().begin(), uris->items().end(),
                       [&](const json::Value& one) { return pattern.search(one.string()); });
}

}  // namespace

Listing::Listing(const Resource& resource, const Target& target) {
    read_pages(target);
    if (refusal_) return;
    name_ = pattern_of(target, "name");
    uri_ = pattern_of(target, "uri");
    if (const std::string* label = target.parameter("label")) label_ = *label;
    read_filter(resource, target);
    filters_ = name_ || uri_ || label_ || service_id_ || upstream_id_;
}

void Listing::read_pages(const Target& target) {
    const auto page = number_of(target.parameter("page")), size = number_of(target.parameter("page_size"));
    if (!page || !size) return;
    if (*size < least_page || *size > greatest_page) {
        refusal_ = Refusal{"page_size must be between 10 and 500", true};
        return;
    }
    page_ = static_cast<std::size_t>(std::clamp(*page, 1.0, last_page));
    page_size_ = static_cast<std::size_t>(*size);
}

std::unique_ptr<const expr::Regex> Listing::pattern_of(const Target& target, std::string_view parameter) {
    const std::string* text = target.parameter(parameter);
    if (!text || refusal_) return nullptr;
    try {
        return std::make_unique<const expr::Regex>(*text);
    } catch (const expr::RegexError& error) {
        refusal_ = Refusal{std::string("invalid regex: ") + error.what(), false};
        return nullptr;
    }
}

void Listing::read_filter(const Resource& resource, const Target& target) {
    const std::string* text = target.parameter("filter");
    if (!text || (resource.list != "routes" && resource.list != "stream_routes")) return;
    for (auto& [name, value] : split_parameters(*text)) {
        if (name == "service_id") service_id_ = std::move(value);
        if (name == "upstream_id") upstream_id_ = std::move(value);
    }
}

bool Listing::keeps(const store::Stored& object) const {
    if (!filters_) return true;
    const json::Value value = json::parse(object.json, {.positions = false});
    const json::Value* name = value.find("name");
    if (name_ && (!name || !name_->search(name->string()))) return false;
    const json::Value* labels = value.find("labels");
    if (label_ && (label_->empty() || !labels || !labels->find(*label_))) return false;
    if (uri_ && !has_path(value, *uri_)) return false;
    if (service_id_ && sources::reference_of(value, "service_id") != *service_id_) return false;
    return !upstream_id_ || sources::reference_of(value, "upstream_id") == *upstream_id_;
}

void Listing::cut(std::vector<store::StoredPtr>& objects) const {
    if (page_size_ == 0) return;
    std::stable_sort(objects.begin(), objects.end(),
                     [](const auto& a, const auto& b) { return a->created < b->created; });
    const std::size_t pages_before = page_ - 1;
    const std::size_t first = pages_before > objects.size() ? objects.size() : pages_before * page_size_;
    const auto begin = objects.begin() + static_cast<std::ptrdiff_t>(std::min(first, objects.size()));
    objects.erase(objects.begin(), begin);
    if (objects.size() > page_size_) objects.resize(page_size_);
}

}  // namespace gateway::admin
