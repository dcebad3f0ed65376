#include "libgateway/sources/reencrypt.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "libgateway/config/delta.hpp"
#include "libgateway/config/yaml_reader.hpp"
#include "libgateway/sources/document_reader.hpp"
#include "libgateway/sources/scalar_text.hpp"
#include "libgateway/sources/secrets.hpp"

namespace gateway::sources {

namespace {

using json::Value;

// A secret of the parsed file.
struct Found {
    std::string object, path;
    Value* value = nullptr;
    SecretState state = SecretState::plain;
    std::string plain;  // if it is readable
};

void judge(Found& found, SecretKind kind, const SecretsOptions& options, const keyring::Keyring& ring) {
    const std::string& stored = found.value->string();
    found.plain = stored;
    const bool pem = kind == SecretKind::private_key && stored.starts_with("---");
    auto opened = pem                               ? std::nullopt
                  : kind == SecretKind::private_key ? ring.decrypt(stored, keyring::is_private_key)
                                                    : ring.decrypt(stored);
    const keyring::Shape shape = keyring::shape_of(stored);
    if (opened) {
        found.state = ring.is_current(*opened) ? SecretState::current : SecretState::outdated;
        found.plain = std::move(opened->text);
    } else if (pem || (kind == SecretKind::plugin_field && shape == keyring::Shape::plain)) {
        found.state = SecretState::plain;
    } else if (kind == SecretKind::plugin_field && shape == keyring::Shape::cbc && options.plain_texts) {
        found.state = SecretState::plain;
    } else {
        found.state = SecretState::unreadable;
    }
}

std::vector<Found> find_all(Value& file, const SecretsOptions& options, const keyring::Keyring& ring) {
    std::vector<Found> all;
    if (!file.is_object()) return all;
    for (json::Member& list : file.make_object()) {
        config::Kind kind = config::Kind::route;
        const bool known = list.key == "ssls" || (config::parse_kind(list.key, kind) && config::is_listed(kind));
        if (!known || !list.value.is_array()) continue;
        std::size_t position = 0;
        for (Value& item : list.value.make_array()) {
            const std::string id = id_of_item(kind, item, ++position);
            each_item_secret(list.key, id, item, [&](const std::string& path, Value& text, SecretKind what) {
                if (text.string().find("${{") != std::string::npos) return;
                Found found{list.key + "/" + id, path, &text, {}, {}};
                judge(found, what, options, ring);
                all.push_back(std::move(found));
            });
        }
    }
    return all;
}

std::optional<Value> parse(std::string_view text, const SecretsOptions& options, config::Diagnostics& problems) {
    json::ParseFailure why;
    auto file = options.json ? json::try_parse(text, why) : config::try_read_yaml(text, why);
    if (!file) problems.error(options.path, why.where, "", "failed to parse the file: " + why.what);
    return file;
}

SecretsReport report_of(const std::vector<Found>& all) {
    SecretsReport report;
    for (const Found& found : all) {
        if (report.objects.empty() || report.objects.back().name != found.object)
            report.objects.push_back({found.object, {}});
        report.objects.back().fields.push_back({found.path, found.value->where, found.state});
    }
    return report;
}

void refuse(const Found& found, const SecretsOptions& options, std::string why, config::Diagnostics& problems) {
    problems.add(
        {config::Severity::error, options.path, found.value->where, found.object, found.path, std::move(why), {}});
}

struct Edit {
    ScalarRange range;
    std::string text;
};

// By place, so that a scalar with several names (anchors) is written once.
std::map<std::size_t, Edit> edits_of(std::string_view text, const std::vector<Found>& all,
                                     const SecretsOptions& options, const keyring::Keyring& ring,
                                     config::Diagnostics& problems) {
    const ScalarText scalars(text);
    std::map<std::size_t, Edit> edits;
    for (const Found& found : all) {
        if (found.state != SecretState::outdated && found.state != SecretState::plain) continue;
        const auto range = scalars.find(found.value->where, found.value->string());
        if (!range) {
            refuse(found, options, "the value cannot be replaced: write it on one line, in quotes", problems);
        } else if (edits.count(range->begin) == 0) {
            const std::string quote(1, range->quote);
            edits[range->begin] = {*range, quote + ring.encrypt(found.plain) + quote};
        }
    }
    return edits;
}

std::string apply(std::string_view text, const std::map<std::size_t, Edit>& edits) {
    std::string result;
    std::size_t done = 0;
    for (const auto& [begin, edit] : edits) {
        result.append(text.substr(done, begin - done)).append(edit.text);
        done = edit.range.end;
    }
    return result.append(text.substr(done));
}

// Both files with every secret that can be read replaced by what it means: they must say the same.
bool same_meaning(Value& before, const std::vector<Found>& secrets, std::string_view text,
                  const SecretsOptions& options, const keyring::Keyring& ring) {
    config::Diagnostics ignored;
    auto after = parse(text, options, ignored);
    if (!after) return false;
    const std::vector<Found> now = find_all(*after, options, ring);
    const auto replace_all = [](const std::vector<Found>& list) {
        for (const Found& found : list) *found.value = Value(found.plain);
    };
    const bool done = std::all_of(now.begin(), now.end(), [](const Found& found) {
        return found.state == SecretState::current || found.state == SecretState::unreadable;
    });
    replace_all(secrets);
    replace_all(now);
    return done && json::equal(before, *after);
}

}  // namespace

std::string_view name_of(SecretState state) noexcept {
    constexpr std::array<std::string_view, 4> names{"current", "outdated", "plain", "not readable"};
    return names[static_cast<std::size_t>(state)];
}

std::size_t SecretsReport::count(SecretState state) const noexcept {
    std::size_t sum = 0;
    for (const SecretObject& object : objects) {
        for (const SecretField& field : object.fields) sum += field.state == state;
    }
    return sum;
}

SecretsReport inspect_secrets(std::string_view text, const SecretsOptions& options, const keyring::Keyring& ring) {
    config::Diagnostics problems;
    auto file = parse(text, options, problems);
    SecretsReport report = file ? report_of(find_all(*file, options, ring)) : SecretsReport();
    report.problems = std::move(problems);
    return report;
}

Reencrypted reencrypt(std::string_view text, const SecretsOptions& options, const keyring::Keyring& ring) {
    Reencrypted result;
    config::Diagnostics problems;
    auto file = parse(text, options, problems);
    if (file) {
        const std::vector<Found> all = find_all(*file, options, ring);
        result.report = report_of(all);
        const auto edits = edits_of(text, all, options, ring, problems);
        result.text = apply(text, edits);
        result.changed = !edits.empty();
        if (problems.ok() && !same_meaning(*file, all, result.text, options, ring))
            problems.error(options.path, {}, "", "the file cannot be rewritten: what it says would change");
    }
    result.report.problems = std::move(problems);
    return result;
}

}  // namespace gateway::sources
