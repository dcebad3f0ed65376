// Whose a file is and what it allows: for messages about files that cannot be used.
#pragma once

#include <string>

namespace gateway {

// "root 0"; only the number where it has no name. Reads the machine's lists of users.
std::string user_text(unsigned uid);
// "/path (owner www 33, mode 0700)"; only the path where it cannot be looked at.
std::string describe_path(const std::string& path);
// What explains an error of a path that rights or a missing folder lead to: "; directory /logs (owner …, mode …); this
// is www 33". Empty for other errors.
std::string who_may(const std::string& path, int error);

}  // namespace gateway
