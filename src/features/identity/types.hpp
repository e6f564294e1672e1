// What identity speaks of: keys and who holds them.
#pragma once

#include "core/id.hpp"

namespace buildplan::identity {

using ApiKeyId = Id<struct ApiKeyTag>;

}  // namespace buildplan::identity
