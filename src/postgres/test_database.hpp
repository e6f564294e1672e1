// For tests: a database of its own on the test program's server, with the roles and, when wanted, the schema.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "fmt/core.h"
#include "postgres/migrations.hpp"
#include "postgres/roles.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::test_support {

class EmptyDatabase {
public:
    EmptyDatabase() : name_(fmt::format("test_{}", ++made)) {
        postgres().make_database(name_);
        postgres::bootstrap_roles(admin());
    }

    [[nodiscard]] std::string const& name() const { return name_; }
    [[nodiscard]] std::string url(std::string_view role) const { return postgres().url(role, name_); }
    [[nodiscard]] std::string admin() const { return url(local::superuser_role); }
    [[nodiscard]] std::string owner() const { return url(local::owner_role); }
    [[nodiscard]] std::string app() const { return url(local::app_role); }
    [[nodiscard]] std::string system() const { return url(local::system_role); }

private:
    static inline std::atomic<int> made = 0;
    std::string name_;
};

class MigratedDatabase : public EmptyDatabase {
public:
    MigratedDatabase() { postgres::migrate(owner()); }
};

}  // namespace buildplan::test_support
