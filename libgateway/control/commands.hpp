// The commands of the control socket, as gatewayctl shows them and as the gateway carries them out.
#pragma once

#include <array>
#include <string_view>

namespace gateway::control {

struct CommandHelp {
    std::string_view name, usage, help;
};

inline constexpr std::array commands{
    CommandHelp{"status", "status", "revision, workers, listeners and the last reload"},
    CommandHelp{"reload", "reload", "read the static file and the route file again and apply what changed"},
    CommandHelp{"check", "check [--strict] [FILE]",
                "check the static file with its routes, or a route file; changes nothing"},
    CommandHelp{"keys", "keys check [FILE] | keys reencrypt [--dry-run] [--plain] FILE|--store",
                "which key reads the secrets of route file and store; write them anew with the first key"},
    CommandHelp{"explain", "explain METHOD URL [-H 'name: value']… [--from IP] [--consumer NAME]",
                "which route answers a request and why, or why none does"},
    CommandHelp{"show",
                "show routes|upstreams|consumers|consumer_groups|plugin_metadata|workers|connections [FILTER], plugins "
                "--route ID",
                "what is in force, one line each"},
    CommandHelp{"plugin", "plugin list|show NAME",
                "the plugins of this gateway; what one is and what it can be set to"},
    CommandHelp{"put", "put KIND ID FILE|-", "make or replace one object of the store"},
    CommandHelp{"delete", "delete KIND ID", "remove one object of the store"},
    CommandHelp{"apply", "apply [--prune] [--confirm-within TIME] [--revert-if '5xx>5%'] FILE|-",
                "make or replace all objects of a file as one, all or nothing"},
    CommandHelp{"confirm", "confirm", "keep what was applied with --confirm-within"},
    CommandHelp{"history", "history [-n COUNT] [REVISION]",
                "what was applied when and by whom; what one revision changed"},
    CommandHelp{"diff", "diff [--rev N | --replay LOG] [FILE|-]",
                "from what is in force, or was at a revision, to a file, or to what is in force; which requests of an "
                "access log would end elsewhere"},
    CommandHelp{"rollback", "rollback REVISION", "make the objects of the store what they were at a revision"},
    CommandHelp{"export", "export [FILE|-]", "all objects in force in the form of a route file"},
    CommandHelp{"import", "import FILE|-", "make the objects of an export objects of the store"},
    CommandHelp{"reopen", "reopen", "open the log files again, after they were moved away"},
    CommandHelp{"stop", "stop", "end now"},
    CommandHelp{"quit", "quit", "end after the requests under way"},
    CommandHelp{"version", "version", "versions of the gateway that runs and of this program"},
};

constexpr const CommandHelp* find_command(std::string_view name) noexcept {
    for (const CommandHelp& command : commands) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

}  // namespace gateway::control
