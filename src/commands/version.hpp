// The version of the program, from the file VERSION.
#pragma once

#include <string_view>

namespace buildplan::commands {

inline constexpr std::string_view version = BUILDPLAN_VERSION;

}  // namespace buildplan::commands
