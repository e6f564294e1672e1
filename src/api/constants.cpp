#include "api/reference.hpp"
#include "api/shard.hpp"

namespace buildplan::api {

Constants::Constants(RouteTables tables, std::string version_, std::string cursor_secret)
    : router(tables),
      cursors(std::move(cursor_secret)),
      version(std::move(version_)),
      reference(std::make_unique<Reference>(tables, version)) {}

Constants::~Constants() = default;

}  // namespace buildplan::api
