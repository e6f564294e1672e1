#include "core/settings.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>

#include "core/settings_table.hpp"

namespace buildplan {
namespace {

using settings::Entry;

// How many letters apart two names are (Levenshtein), for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            auto const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
        }
    }
    return row.back();
}

template <class Name>
std::string unknown(std::string_view what, std::string_view name, Name name_of) {
    std::string nearest;
    std::size_t best = name.size() / 3 + 1;
    for (auto const& entry : settings::table()) {
        auto const candidate = std::string(name_of(entry));
        auto const apart = distance(candidate, name);
        if (apart < best) {
            best = apart;
            nearest = candidate;
        }
    }
    if (nearest.empty()) return fmt::format("{} {} is not a setting (see `buildplan config list`)", what, name);
    return fmt::format("{} {} is not a setting; did you mean {}?", what, name, nearest);
}

Entry const* find(auto matches) {
    auto const all = settings::table();
    auto const found = std::ranges::find_if(all, matches);
    return found == all.end() ? nullptr : &*found;
}

void apply(LoadedSettings& out, Entry const& entry, std::string_view source, std::string_view text) {
    auto const wrong = entry.set(out.settings, text);
    if (wrong.empty()) return;
    if (entry.secret) {
        out.errors.push_back(fmt::format("{} {}", source, wrong));
    } else {
        out.errors.push_back(fmt::format("{} {}, not \"{}\"", source, wrong, text.substr(0, 100)));
    }
}

void apply_node(LoadedSettings& out, std::string const& file, std::string const& name, YAML::Node const& node) {
    if (node.IsMap()) {
        for (auto const& child : node) {
            auto const key = child.first.as<std::string>();
            auto path = name;
            if (!path.empty()) path += '.';
            path += key;
            apply_node(out, file, path, child.second);
        }
        return;
    }
    auto const where = fmt::format("{}:{}: {}", file, node.Mark().line + 1, name);
    auto const* const entry = find([&](Entry const& e) { return e.name == name; });
    if (!entry) {
        out.errors.push_back(
            unknown(fmt::format("{}:{}:", file, node.Mark().line + 1), name, [](Entry const& e) { return e.name; }));
        return;
    }
    std::string text;
    if (node.IsSequence()) {
        for (auto const& item : node) {
            if (!text.empty()) text += ',';
            text += item.as<std::string>();
        }
    } else if (node.IsScalar()) {
        text = node.as<std::string>();
    }
    apply(out, *entry, where, text);
}

}  // namespace

NamedValues environment() {
    NamedValues out;
    for (char** at = environ; at && *at; ++at) {
        std::string_view const pair = *at;
        auto const equals = pair.find('=');
        if (pair.starts_with("BUILDPLAN_") && equals != std::string_view::npos) {
            out.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
        }
    }
    std::ranges::sort(out);
    return out;
}

std::string program_search_path() {
    char const* const path = std::getenv("PATH");
    return path ? path : "";
}

LoadedSettings load_settings(NamedValues const& env, std::string const& file, NamedValues const& overrides) {
    LoadedSettings out;
    if (!file.empty()) {
        try {
            auto const root = YAML::LoadFile(file);
            if (root.IsMap()) {
                apply_node(out, file, "", root);
            } else if (!root.IsNull()) {
                out.errors.push_back(file + ": must be a YAML map of settings");
            }
        } catch (YAML::BadFile const&) {
            out.errors.push_back(file + ": cannot be read");
        } catch (YAML::Exception const& e) {
            out.errors.push_back(fmt::format("{}:{}: {}", file, e.mark.line + 1, e.msg));
        }
    }
    for (auto const& [name, text] : env) {
        // Of this program's environment, but not settings: where the tests find it.
        if (name == "BUILDPLAN_BINARY") continue;
        if (auto const* const entry = find([&](Entry const& e) { return e.env() == name; })) {
            apply(out, *entry, name, text);
        } else {
            out.errors.push_back(unknown("", name, [](Entry const& e) { return e.env(); }).substr(1));
        }
    }
    for (auto const& [name, text] : overrides) {
        if (auto const* const entry = find([&](Entry const& e) { return e.name == name; })) {
            apply(out, *entry, name, text);
        } else {
            out.errors.push_back(unknown("", name, [](Entry const& e) { return e.name; }).substr(1));
        }
    }
    return out;
}

std::vector<SettingInfo> describe_settings(Settings const& settings) {
    std::vector<SettingInfo> out;
    Settings const standard;
    for (auto const& entry : settings::table()) {
        auto const value = entry.show(settings);
        out.push_back({std::string(entry.name), entry.env(), entry.type, entry.show(standard),
                       entry.secret && !value.empty() ? "***" : value, std::string(entry.meaning), entry.secret});
    }
    return out;
}

}  // namespace buildplan
