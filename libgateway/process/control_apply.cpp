// apply, import, export and confirm: many objects as one.
#include <fmt/format.h>

#include <set>

#include "libgateway/base/clock.hpp"
#include "libgateway/config/static_types.hpp"
#include "libgateway/process/control_file_form.hpp"
#include "libgateway/process/control_history.hpp"

namespace gateway::process {

using control::Answer;
using control::Request;
using control::Status;

namespace {

constexpr auto watch_by_default = std::chrono::seconds(60);
constexpr auto longest_trial = std::chrono::hours(24);

// What the options of apply say of a trial; an error if they are not understood.
std::optional<store::Trial> trial_of(const Request& request, std::string& error) {
    const std::string within(request.text("confirm_within"));
    store::Trial trial;
    trial.revert_if = request.text("revert_if");
    if (within.empty() && trial.revert_if.empty()) return std::nullopt;
    if (!trial.revert_if.empty() && !parse_revert_rule(trial.revert_if))
        error = "--revert-if: expected a class of answers and a share of them, as 5xx>5%, found \"" + trial.revert_if +
                "\"";
    std::chrono::milliseconds time = watch_by_default;
    if (!within.empty()) {
        const auto given = config::parse_duration(within);
        const bool fits = given && *given > std::chrono::milliseconds(0) && *given <= longest_trial;
        if (!fits) error = "--confirm-within: expected a time up to 24h, as 30s, found \"" + within + "\"";
        if (fits) time = *given;
    }
    trial.confirm = !within.empty();
    trial.started_ms = wall_ms();
    trial.deadline_ms = trial.started_ms + time.count();
    return trial;
}

// Objects of the store that the file does not name go.
void prune(const Catalogue& now, std::vector<store::Edit>& edits) {
    std::set<Catalogue::Key> named;
    for (const store::Edit& edit : edits) named.emplace(edit.kind, edit.id);
    for (const auto& [key, shelved] : now.shelf()) {
        if (named.count(key) == 0 && !now.file().find(key.first, key.second))
            edits.push_back({key.first, key.second, std::nullopt, std::nullopt, 0, 0});
    }
}

Answer refuse_all(std::vector<std::string> errors) {
    Answer answer;
    answer.status = Status::refused;
    answer.errors = std::move(errors);
    return answer;
}

asio::awaitable<Answer> apply_file(Control& control, std::string text, std::string name, Control::Cause cause,
                                   bool prunes) {
    auto read = [&text, &name] { return edits_of_file(text, name); };
    FileEdits file = co_await on_thread(control.builder(), read);
    if (!file.errors.empty()) co_return refuse_all(std::move(file.errors));
    const Turnstile::Pass pass = co_await control.enter_writes();
    const Catalogue& now = control.catalogue();
    if (cause.trial && control.trial())
        co_return control::refuse(Status::refused, fmt::format("revision {} is on trial: confirm it first, or wait",
                                                               control.trial()->revision));
    if (cause.action == "import" && now.keyring()) {
        std::vector<std::string> errors = unreadable_secrets(file.edits, *now.keyring());
        if (!errors.empty()) co_return refuse_all(std::move(errors));
    }
    if (prunes) prune(now, file.edits);
    cause.owned = Owned::pass_over_same;
    cause.only_changes = true;
    cause.source = name;
    const Control::Outcome outcome = co_await control.change_now(std::move(file.edits), std::move(cause));
    Answer answer = answer_of(control, outcome);
    if (outcome.write == store::WriteStatus::refused && outcome.status == Status::refused) {
        auto places = [&now, &text, &name] { return errors_of_file(now, text, name); };
        std::vector<std::string> errors = co_await on_thread(control.builder(), places);
        if (!errors.empty()) answer.errors = std::move(errors);
    }
    co_return answer;
}

}  // namespace

asio::awaitable<Answer> apply_command(Control& control, const Request& request) {
    std::string error;
    Control::Cause cause{"apply", {"gatewayctl", ""}};
    cause.trial = trial_of(request, error);
    if (!error.empty()) co_return control::refuse(Status::usage, error);
    Answer answer = co_await apply_file(control, std::string(request.text("content")),
                                        std::string(request.text("file")), std::move(cause), request.flag("prune"));
    co_return answer;
}

asio::awaitable<Answer> import_command(Control& control, const Request& request) {
    Control::Cause cause{"import", {"gatewayctl", ""}};
    Answer answer = co_await apply_file(control, std::string(request.text("content")),
                                        std::string(request.text("file")), std::move(cause), false);
    co_return answer;
}

asio::awaitable<Answer> export_command(Control& control, const Request&) {
    const Turnstile::Pass pass = co_await control.enter_writes();
    const Catalogue& now = control.catalogue();
    if (!now.keyring()) co_return control::refuse(Status::refused, "the keyring is not known: the static file is bad");
    const keyring::Keyring::Entry* writer = now.keyring()->writer();
    std::string heading =
        fmt::format("revision {} of {}", control.revisions().revision(), time_text(wall_ms()).string());
    heading += writer ? fmt::format("; secrets are encrypted with key {}: keep the keyring too", writer->key.id())
                      : "; secrets are in plain text: the keyring has no key that encrypts";
    auto work = [&now, heading] { return json::write(json::Value(file_of(now, heading))); };
    Answer answer;
    answer.result = co_await on_thread(control.builder(), work);
    co_return answer;
}

asio::awaitable<Answer> confirm_command(Control& control, const Request&) {
    const std::string why = co_await control.confirm();
    if (!why.empty()) co_return control::refuse(Status::refused, why);
    Answer answer;
    answer.result = json::write(json::Value(std::string("confirmed")));
    co_return answer;
}

}  // namespace gateway::process
