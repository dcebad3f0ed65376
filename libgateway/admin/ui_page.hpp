// The dashboard's page: files of `admin/ui`, which are part of the program, and how they are served.
#pragma once

#include <span>
#include <string_view>

#include "libgateway/admin/message.hpp"
#include "libgateway/admin/target.hpp"

namespace gateway::admin {

struct UiFile {
    std::string_view name, text;
    std::string_view etag;  // with its quotes
};
// Made of the sources by scripts/cmake/embed_ui.cmake when the program is built.
std::span<const UiFile> ui_files() noexcept;

// `/ui` and what is below it. Nothing in these files is secret, so no key is asked for.
Reply ui_page(const Request& request, const Target& target, std::string_view page_token);

}  // namespace gateway::admin
