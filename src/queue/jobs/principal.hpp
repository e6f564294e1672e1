// JobPrincipal: the one maker of Principals for jobs. A job works for the organization in whose queue it lies, under
// row-level security like everybody else, and nobody asked for it in person: what it changes is recorded as done by the
// system. It has no permission to ask routes or services for anything on somebody's behalf.
#pragma once

#include "core/principal.hpp"

namespace buildplan::queue::jobs {

class JobPrincipal {
public:
    static Principal of(OrganizationId organization) { return Principal(organization, std::nullopt, {}); }
};

}  // namespace buildplan::queue::jobs
