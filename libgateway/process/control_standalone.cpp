#include "libgateway/process/control_standalone.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "libgateway/base/log.hpp"
#include "libgateway/config/read_file.hpp"
#include "libgateway/config/static_config.hpp"
#include "libgateway/keyring/sealed_file.hpp"
#include "libgateway/process/control_process.hpp"
#include "libgateway/sources/document_reader.hpp"

namespace gateway::process {

namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

UniqueFd open_to_write(const std::string& path, int flags) {
    UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
    if (!file) fail(path);
    return file;
}

const std::string whole_id = "configuration";
constexpr std::string_view no_keyring =
    "encrypted fields cannot be read: the keyring is not known until the static file is good";

}  // namespace

// The configuration that a control before this one was given.
admin::Configuration kept_whole(const sources::Document& file) {
    const sources::ObjectPtr kept = file.find(config::Kind::standalone, whole_id);
    json::ParseFailure why;
    auto value = kept ? json::try_parse(kept->json, why, {.positions = false}) : std::nullopt;
    return value ? std::make_shared<const json::Value>(std::move(*value)) : nullptr;
}

// What was put, or what the snapshot holds; without either there is nothing to serve yet.
void Catalogue::read_standalone(const config::StaticConfig& settings, const KeyringPtr& ring, Reading& reading) const {
    reading.whole = whole_;
    const std::string& snapshot = settings.deployment.admin.standalone_snapshot;
    if (!reading.whole && !snapshot.empty()) {
        try {
            reading.whole = load_snapshot(snapshot, *ring);
        } catch (const std::exception& problem) {
            reading.hidden.push_back(fmt::format("{}: {}", snapshot, problem.what()));
        }
    }
    sources::RouteFileSettings form = route_file_settings(settings);
    form.path = source();
    build_standalone(form, settings, ring, reading);
}

void Catalogue::build_standalone(const sources::RouteFileSettings& form, const config::StaticConfig& settings,
                                 const KeyringPtr& ring, Reading& reading) const {
    if (!reading.whole) return void(reading.file.emplace());
    json::Value lists = json::Value::object();
    for (const json::Member& member : reading.whole->members()) {
        if (!admin::is_about_lists(member.key)) lists.set(member.key, member.value);
    }
    sources::RouteFileResult result;
    sources::read_document(lists, form, rules_for(settings, ring), file_, result);
    reading.found.append(result.diagnostics);
    reading.dropped = std::move(result.dropped);
    reading.left_out = std::move(result.left_out);
    reading.file = std::move(result.document);
    if (reading.file)
        reading.file->put(sources::make_object(config::Kind::standalone, whole_id, 0, json::write(*reading.whole), {}));
}

Catalogue::Reading Catalogue::read_whole(admin::Configuration whole) const {
    Reading reading;
    reading.whole = std::move(whole);
    if (!keyring_) {
        reading.found.error(source(), {}, "", std::string(no_keyring));
        return reading;
    }
    sources::RouteFileSettings form{source(), true, false, false};
    build_standalone(form, *settings_, keyring_, reading);
    if (reading.file) complete(*settings_, reading);
    return reading;
}

admin::Configuration load_snapshot(const std::string& path, const keyring::Keyring& ring) {
    std::string text;
    const int error = config::read_file(path, text);
    if (error == ENOENT) return nullptr;
    if (error != 0) throw std::runtime_error("cannot be read: " + config::why_unreadable(path, error));
    std::vector<char> bytes(text.begin(), text.end());
    if (keyring::is_sealed(bytes)) {
        auto plain = keyring::open_records(ring, bytes);
        if (!plain) throw std::runtime_error("no key of the keyring reads it; it is not used");
        bytes = std::move(*plain);
    }
    json::ParseFailure why;
    auto value = json::try_parse({bytes.data(), bytes.size()}, why, {.positions = false});
    if (!value || !value->is_object()) throw std::runtime_error("it holds no configuration; it is not used");
    return std::make_shared<const json::Value>(std::move(*value));
}

void save_snapshot(const std::string& path, const json::Value& configuration, const keyring::Keyring& ring) {
    const std::string text = json::write(configuration), beside = path + ".new";
    const std::vector<char> bytes = keyring::seal_base(ring, text);
    const UniqueFd file = open_to_write(beside, O_WRONLY | O_CREAT | O_TRUNC);
    for (std::span<const char> rest = bytes; !rest.empty();) {
        const ssize_t count = ::write(file.get(), rest.data(), rest.size());
        if (count < 0 && errno != EINTR) fail(beside);
        if (count > 0) rest = rest.subspan(static_cast<std::size_t>(count));
    }
    if (::fsync(file.get()) != 0) fail(beside);
    if (::rename(beside.c_str(), path.c_str()) != 0) fail(path);
    const std::string folder = std::filesystem::path(path).parent_path().string();
    ::fsync(open_to_write(folder, O_RDONLY | O_DIRECTORY).get());
}

admin::Configuration StandaloneConfiguration::current() const {
    return control_.catalogue().whole();
}

asio::awaitable<store::Written> StandaloneConfiguration::replace(admin::Configuration next, admin::Configuration before,
                                                                 store::Author author) {
    store::Written written = co_await control_.replace_whole(std::move(next), std::move(before), std::move(author));
    co_return written;
}

asio::awaitable<store::Written> Control::replace_whole(admin::Configuration next, admin::Configuration before,
                                                       store::Author author) {
    const Turnstile::Pass pass = co_await writes_.enter();
    store::Written written;
    if (catalogue_.whole() != before) {
        written.status = store::WriteStatus::conflict;
        co_return written;
    }
    auto work = [this, next] { return catalogue_.read_whole(next); };
    Catalogue::Reading reading = co_await on_thread(builder_, work);
    for (const config::Kind kind : {config::Kind::proto, config::Kind::stream_route, config::Kind::secret}) {
        if (reading.document && reading.document->size(kind) > 0 && catalogue_.document().size(kind) == 0)
            log::warn("{}: {}", config::list_name(kind), sources::idle_note);
    }
    Outcome outcome = co_await apply(std::move(reading), "Admin API");
    outcome.record.of_store = true;  // no file was refused
    remember(outcome);
    written.revision = revisions_->revision();
    written.errors = outcome.record.errors;
    if (outcome.status == control::Status::refused) {
        written.status = store::WriteStatus::refused;
        co_return written;
    }
    log::notice("revision {}: the configuration was replaced by {} from {}", written.revision, author.name,
                author.from);
    written.lagging = pids_of(outcome.lagging);
    co_await keep_snapshot(next);
    co_return written;
}

// It is in force already: a file that cannot be written is told, and that is all.
asio::awaitable<void> Control::keep_snapshot(admin::Configuration whole) {
    const std::string path = catalogue_.settings().deployment.admin.standalone_snapshot;
    const KeyringPtr ring = catalogue_.keyring();
    if (path.empty() || !ring) co_return;
    auto work = [path, ring, whole]() -> std::string {
        try {
            save_snapshot(path, *whole, *ring);
            return {};
        } catch (const std::exception& problem) {
            return problem.what();
        }
    };
    const std::string problem = co_await on_thread(builder_, work);
    if (!problem.empty()) log::error("the configuration is not kept for the next start: {}", problem);
}

}  // namespace gateway::process
