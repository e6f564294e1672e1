// Random bytes fit for keys and tokens, from the kernel through a small per-thread buffer.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace buildplan {

// Fills `out` from getrandom(2). Throws std::system_error where the kernel has none to give.
void fill_random(std::span<std::uint8_t> out);

std::string random_bytes(std::size_t count);

}  // namespace buildplan
