// The table of settings: name, meaning, and how a text becomes the value and back. For settings.cpp alone.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/settings.hpp"

namespace buildplan::settings {

struct Entry {
    std::string_view name;     // "http.port"
    std::string_view meaning;  // one sentence
    std::string type;          // what a value looks like
    bool secret;
    std::string (*set)(Settings&, std::string_view text);  // what is wrong with the text; empty when nothing is
    std::string (*show)(Settings const&);

    [[nodiscard]] std::string env() const;
};

std::span<Entry const> table();

}  // namespace buildplan::settings
