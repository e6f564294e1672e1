// Which C++ type a value of PostgreSQL gets, as postgres/value.hpp reads and writes it.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gen/source.hpp"
#include "postgres/describe.hpp"

namespace buildplan::gen {

class Types {
public:
    // Ids that every feature shares are known; `rules` come first.
    explicit Types(std::vector<TypeRule> rules);

    // The type of a parameter, of a column; with optional<> where it may be NULL. `line` is for errors.
    std::string parameter(NamedParameter const& parameter, postgres::TypeInfo const& type, std::size_t line);
    std::string column(postgres::DescribedColumn const& column, bool nullable, std::size_t line);

    // The headers that the types given out so far need.
    [[nodiscard]] std::set<std::string> const& headers() const noexcept { return headers_; }
    // The first rule that nothing needed.
    [[nodiscard]] TypeRule const* unused() const noexcept;

private:
    std::string id(std::string_view exact, std::string_view name, std::string_view what, std::size_t line);

    std::vector<TypeRule> rules_;
    std::size_t own_ = 0;  // how many of them are the file's
    std::set<std::string> headers_;
    std::set<std::size_t> used_;
};

}  // namespace buildplan::gen
