// Which objects a list shows: filters and pages (version 3 only).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libgateway/admin/resource.hpp"
#include "libgateway/admin/target.hpp"
#include "libgateway/expr/regex.hpp"
#include "libgateway/store/object.hpp"

namespace gateway::admin {

// The parameters of one request for a list, read and checked.
class Listing {
public:
    Listing(const Resource& resource, const Target& target);

    // An answer of status 400 instead of a list: `text` alone, or in the envelope of errors.
    struct Refusal {
        std::string text;
        bool plain = false;
    };
    const std::optional<Refusal>& refusal() const noexcept { return refusal_; }

    bool keeps(const store::Stored& object) const;
    // Cuts the page out of what was kept. Without paging: all, as they are.
    void cut(std::vector<store::StoredPtr>& objects) const;

private:
    void read_pages(const Target& target);
    void read_filter(const Resource& resource, const Target& target);
    std::unique_ptr<const expr::Regex> pattern_of(const Target& target, std::string_view parameter);

    std::optional<Refusal> refusal_;
    std::unique_ptr<const expr::Regex> name_, uri_;
    std::optional<std::string> label_;
    std::optional<std::string> service_id_, upstream_id_;
    std::size_t page_ = 0, page_size_ = 0;  // 0: no paging
    bool filters_ = false;
};

}  // namespace gateway::admin
