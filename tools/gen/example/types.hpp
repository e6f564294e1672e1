#pragma once

#include "core/id.hpp"

namespace buildplan::gen::example {

using WorkspaceId = Id<struct WorkspaceTag>;

}  // namespace buildplan::gen::example
