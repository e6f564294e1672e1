#include "api/reference.hpp"
#include "api/shard.hpp"
#include "core/sealed.hpp"

namespace buildplan::api {

Constants::Constants(RouteTables tables, std::string version_, std::string const& secret)
    : router(tables),
      cursors(secret),
      answers_key(hkdf_sha256(secret, "", "buildplan kept answers 1")),
      version(std::move(version_)),
      reference(std::make_unique<Reference>(tables, version)) {}

Constants::~Constants() = default;

}  // namespace buildplan::api
