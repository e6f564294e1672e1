// How one connection is to be made: the operator's URL with what the pool adds. PQconnectStart would look host names up
// on the spot and so block the loop; resolve() does that beforehand, on another thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "postgres/options.hpp"

namespace buildplan::postgres::detail {

class Conninfo {
public:
    // Throws OperatorError for a URL that libpq does not understand.
    Conninfo(Options const& options, LaneOptions const& lane);

    [[nodiscard]] bool needs_resolving() const noexcept { return needs_resolving_; }
    // Blocks. Looks every host name up again, since a failover may have moved it. Throws std::runtime_error.
    [[nodiscard]] Conninfo resolved() const;

    // As PQconnectStartParams takes them: two arrays that end with a null pointer, valid as long as this object.
    struct Arrays {
        std::vector<char const*> keywords;
        std::vector<char const*> values;
    };
    [[nodiscard]] Arrays arrays() const;

private:
    std::map<std::string, std::string> settings_;
    bool needs_resolving_ = false;
};

}  // namespace buildplan::postgres::detail
