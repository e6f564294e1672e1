// The operating-system user that the servers run as. PostgreSQL refuses to be root, so a root `up` starts PostgreSQL
// and Redis as `postgres` (the Debian package makes that user), or as `nobody` where there is none; anybody else runs
// them as himself. Throws OperatorError for a user that does not exist.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace buildplan::local {

struct ServerUser {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string name;

    // Whether it is another user than the one this process runs as: only root can switch.
    [[nodiscard]] bool is_other() const noexcept;
};

// `wanted` is a name, or "" for the rule above. Only root may want somebody else.
ServerUser server_user(std::string_view wanted = {});

// The name of a user, "#1234" for one without.
std::string user_name(uid_t uid);

}  // namespace buildplan::local
