// What identity speaks of: keys and who holds them.
#pragma once

#include "core/id.hpp"

namespace buildplan::identity {

using buildplan::ApiKeyId;
using buildplan::SessionId;

}  // namespace buildplan::identity
