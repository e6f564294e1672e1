// Names in addresses, made of names that people gave.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace buildplan {

// "Web Shop (new)" becomes "web-shop-new": a slug of at most `longest` characters. Empty where nothing is left.
std::string slug_from(std::string_view name, std::size_t longest = 48);

}  // namespace buildplan
