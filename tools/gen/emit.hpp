// From what people wrote (Source) and what PostgreSQL says of it (Described) to the text of queries.gen.hpp, formatted
// as .clang-format has it. Throws SourceError for what has no C++ type, or needs a name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gen/source.hpp"
#include "postgres/describe.hpp"

namespace buildplan::gen {

// `folder` is that of the queries.sql below src/: "features/organizations" becomes the namespace
// buildplan::organizations::queries, "api/idempotency" buildplan::api::idempotency::queries.
std::string emit(std::string_view folder, Source const& source, std::span<postgres::Described const> described);

}  // namespace buildplan::gen
