#include "libgateway/process/tool_keys.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "libgateway/base/unique_fd.hpp"
#include "libgateway/config/read_file.hpp"
#include "libgateway/process/control_file_form.hpp"
#include "libgateway/process/control_keyring.hpp"
#include "libgateway/sources/reencrypt.hpp"

namespace gateway::process {

namespace {

using sources::SecretState;

constexpr int good = 0, invalid = 1, usage = 2;

int fail(int status, const std::string& text) {
    std::fprintf(stderr, "gatewayd: %s\n", text.c_str());
    return status;
}
int fail(const config::Diagnostics& found) {
    std::fputs(found.text().c_str(), stderr);
    return invalid;
}

// Words for people; a check tells what is there, the other command what it did.
std::string_view word_for(SecretState state, bool rewrites, bool dry_run) noexcept {
    if (state == SecretState::current) return "already current";
    if (state == SecretState::unreadable) return "not readable";
    if (rewrites) return dry_run ? "would be rewritten" : "rewritten";
    return state == SecretState::plain ? "plain text" : "older key or form";
}

json::Value ring_json(const keyring::Keyring& ring) {
    json::Value keys = json::Value::array();
    for (const keyring::Keyring::Entry& entry : ring.entries()) {
        keys.push(json::Value::object({{"id", json::Value(entry.key.id())},
                                       {"encrypts", &entry == ring.writer()},
                                       {"source", json::Value(entry.source)}}));
    }
    return keys;
}

json::Value report_json(const sources::SecretsReport& report, const keyring::Keyring& ring) {
    json::Value objects = json::Value::array();
    for (const sources::SecretObject& object : report.objects) {
        json::Value fields = json::Value::array();
        for (const sources::SecretField& field : object.fields) {
            fields.push(json::Value::object({{"field", json::Value(field.path)},
                                             {"line", field.where.line},
                                             {"state", json::Value(sources::name_of(field.state))}}));
        }
        objects.push(json::Value::object({{"object", json::Value(object.name)}, {"fields", std::move(fields)}}));
    }
    json::Value result = json::Value::object({{"keys", ring_json(ring)}, {"objects", std::move(objects)}});
    for (const SecretState state :
         {SecretState::current, SecretState::outdated, SecretState::plain, SecretState::unreadable})
        result.set(state == SecretState::unreadable ? "not_readable" : sources::name_of(state), report.count(state));
    return result;
}

void print_ring(const keyring::Keyring& ring) {
    for (const keyring::Keyring::Entry& entry : ring.entries()) {
        std::printf("key %s  %s  %s\n", entry.key.id().c_str(), &entry == ring.writer() ? "encrypts" : "decrypts",
                    entry.source.c_str());
    }
    if (!ring.writer()) std::puts("no key encrypts: secrets are written in plain text");
}

// A line for every word that is true of fields of the object.
void print_object(const sources::SecretObject& object, const KeysRequest& request, bool rewrites) {
    std::vector<std::pair<std::string_view, std::string>> lines;
    for (const sources::SecretField& field : object.fields) {
        const std::string_view word = word_for(field.state, rewrites, request.dry_run);
        auto line = std::find_if(lines.begin(), lines.end(), [&](const auto& known) { return known.first == word; });
        if (line == lines.end()) line = lines.insert(line, {word, {}});
        line->second.append(line->second.empty() ? "" : ", ").append(field.path);
        if (field.where.line != 0) line->second.append(" in line ").append(std::to_string(field.where.line));
    }
    for (const auto& [word, fields] : lines)
        std::printf("%s: %s (%s)\n", object.name.c_str(), std::string(word).c_str(), fields.c_str());
}

void print_report(const sources::SecretsReport& report, const KeysRequest& request, bool rewrites) {
    for (const sources::SecretObject& object : report.objects) print_object(object, request, rewrites);
    const std::size_t changed = report.count(SecretState::outdated) + report.count(SecretState::plain);
    if (rewrites) {
        std::printf("%zu already current, %zu %s, %zu not readable\n", report.count(SecretState::current), changed,
                    request.dry_run ? "would be rewritten" : "rewritten", report.count(SecretState::unreadable));
    } else {
        std::printf("%zu already current, %zu of an older key or form, %zu plain, %zu not readable\n",
                    report.count(SecretState::current), report.count(SecretState::outdated),
                    report.count(SecretState::plain), report.count(SecretState::unreadable));
    }
}

[[noreturn]] void cannot_write(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path + ": cannot be written");
}

void write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) cannot_write(path);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

void write_beside(const std::string& beside, const struct stat& like, std::string_view text) {
    const UniqueFd fresh(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fresh) cannot_write(beside);
    write_all(fresh.get(), text, beside);
    const bool owned = ::fchown(fresh.get(), like.st_uid, like.st_gid) == 0 || like.st_uid == ::geteuid();
    if (!owned || ::fchmod(fresh.get(), like.st_mode & 07777) != 0 || ::fsync(fresh.get()) != 0) cannot_write(beside);
}

// Beside it and renamed, with the mode and the owner of the file; what a link leads to is the file.
void replace_file(const std::string& name, const std::string& before, const std::string& after) {
    const std::string path = std::filesystem::canonical(name).string(), beside = path + ".keys.new";
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) cannot_write(path);
    ::unlink(beside.c_str());
    try {
        write_beside(beside, about, after);
        std::string now;
        if (config::read_file(path, now) != 0 || now != before)
            throw std::runtime_error(path + ": it has been changed meanwhile; nothing was written");
        if (::rename(beside.c_str(), path.c_str()) != 0) cannot_write(path);
    } catch (...) {
        ::unlink(beside.c_str());
        throw;
    }
}

// One file with the keyring of the static file, or of the defaults where there is none.
class Keys {
public:
    explicit Keys(const KeysRequest& request) : request_(request) {}

    int run() {
        const bool rewrites = request_.words[0] == "reencrypt";
        if (!load(rewrites)) return fail(found_);
        if (const int error = config::read_file(options_.path, text_))
            return fail(invalid, options_.path + ": cannot be read: " + config::why_unreadable(options_.path, error));
        return rewrites ? rewrite() : check();
    }

private:
    bool load(bool rewrites) {
        const bool alone = request_.words.size() > 1 && ::access(request_.config_path.c_str(), F_OK) != 0;
        config::StaticConfig settings;
        if (!alone) settings = load_settings({request_.config_path, ::geteuid() == 0}, found_);
        if (found_.ok()) ring_ = load_keyring(settings, request_.config_path, found_);
        if (ring_ && rewrites && !ring_->writer()) {
            found_.error(request_.config_path, {}, "",
                         "no key may encrypt: " + key_file_of(settings) +
                             " is made when the gateway first starts, or set apisix.data_encryption.keyring");
        }
        if (request_.words.size() == 1 && settings.local_provider()) store_ = settings.deployment.local.path;
        options_.path = request_.words.size() > 1 ? request_.words[1] : settings.deployment.route_file;
        options_.json = options_.path.ends_with(".json");
        options_.plain_texts = request_.plain_texts;
        return found_.ok();
    }

    int check() const {
        sources::SecretsReport report = sources::inspect_secrets(text_, options_, *ring_);
        if (!report.problems.ok()) return fail(report.problems);
        if (!store_.empty()) add_store(report);
        if (!request_.json) print_ring(*ring_);
        return print(report, false);
    }

    // Objects of the store, as they are on disk; nothing if there is no store yet.
    void add_store(sources::SecretsReport& report) const {
        if (::access(store_.c_str(), F_OK) != 0) return;
        std::vector<store::StoredPtr> objects;
        for (const store::Entry& entry : store::Store(store_, {}).load().objects) objects.push_back(entry.object);
        const std::string text = file_of_stored(objects);
        sources::SecretsReport found = sources::inspect_secrets(text, {store_, true, false}, *ring_);
        for (sources::SecretObject& object : found.objects) {
            object.name = "store: " + object.name;
            for (sources::SecretField& field : object.fields) field.where = {};
            report.objects.push_back(std::move(object));
        }
    }

    int rewrite() const {
        const sources::Reencrypted result = sources::reencrypt(text_, options_, *ring_);
        if (!result.report.problems.ok()) return fail(result.report.problems);
        if (result.changed && !request_.dry_run) replace_file(options_.path, text_, result.text);
        return print(result.report, true);
    }

    int print(const sources::SecretsReport& report, bool rewrites) const {
        if (request_.json) {
            std::printf("%s\n", json::write(report_json(report, *ring_)).c_str());
        } else {
            print_report(report, request_, rewrites);
        }
        return report.count(SecretState::unreadable) == 0 ? good : invalid;
    }

    const KeysRequest& request_;
    config::Diagnostics found_;
    sources::SecretsOptions options_;
    KeyringPtr ring_;
    std::string text_, store_;
};

}  // namespace

int run_keys(const KeysRequest& request) {
    const std::size_t count = request.words.size();
    const bool checks = count >= 1 && count <= 2 && request.words[0] == "check";
    if (!checks && !(count == 2 && request.words[0] == "reencrypt"))
        return fail(usage, "usage: keys check [FILE], or keys reencrypt [--dry-run] [--plain] FILE");
    return Keys(request).run();
}

}  // namespace gateway::process
