// The scripts of the index and of the tenants' slots, as they lie beside this file in *.lua. lib.lua stands before each
// script of the index.
#pragma once

#include "redis/script.hpp"

namespace buildplan::queue::fair {

struct Scripts {
    redis::Script signal, turn, renew, reap, due, admit, missing, hint, standing, probe, guarantee;
};

Scripts const& scripts();

}  // namespace buildplan::queue::fair
