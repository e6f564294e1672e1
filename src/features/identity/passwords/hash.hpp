// Passwords as they are kept: argon2id (RFC 9106) with the parameters that OWASP recommends (19 MiB, two passes, one
// lane) as a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, so that each says how it was made and may be made
// anew when the parameters change. One takes some 35 ms of CPU and 19 MiB: never on a shard; see hashing.hpp. Throws
// Problem 503 where the memory is not there.
#pragma once

#include <string>
#include <string_view>

namespace buildplan::identity {

std::string hash_password(std::string_view password);

// False for another password, and for a text that is no hash.
bool password_fits(std::string const& hash, std::string_view password);

// Whether it was made with other parameters than today's.
bool is_outdated(std::string const& hash);

// Of a password that nobody has or can have; it takes as long to try as a real one.
std::string const& nobodys_hash();

}  // namespace buildplan::identity
