// Which passwords are refused (NIST SP 800-63B section 5.1.1.2): those shorter than 8 or longer than 256 characters,
// those that many people have (a list of some 11,600, from Debian's python3-zxcvbn), runs and repetitions ("12345678",
// "aaaaaaaa"), and those made of what everybody knows of their owner: the email or the name. Nothing else is asked: no
// digits, no capitals, no change after some months.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/problem.hpp"

namespace buildplan::identity {

constexpr std::uint32_t shortest_password = 8;
constexpr std::uint32_t longest_password = 256;  // Unicode code points; the codec counts them

// Nothing for a good one; else what is wrong, at `pointer`. Its length was seen to by the codec.
std::optional<FieldError> refuse_password(std::string_view password, std::string_view email, std::string_view name,
                                          std::string_view pointer);

// Whether it is on the list, in whatever case.
bool is_common_password(std::string_view password);

}  // namespace buildplan::identity
