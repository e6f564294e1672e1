#include "core/random.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace buildplan {
namespace {

void from_kernel(std::uint8_t* out, std::size_t count) {
    while (count > 0) {
        auto const got = ::getrandom(out, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            throw std::system_error(errno, std::generic_category(), "getrandom");
        }
        out += got;
        count -= static_cast<std::size_t>(got);
    }
}

}  // namespace

void fill_random(std::span<std::uint8_t> out) {
    // One system call per 256 bytes instead of one per id. Bytes are wiped as they are handed out.
    thread_local std::array<std::uint8_t, 256> buffer;
    thread_local std::size_t left = 0;
    if (out.size() > buffer.size() / 2) return from_kernel(out.data(), out.size());
    if (out.size() > left) {
        from_kernel(buffer.data(), buffer.size());
        left = buffer.size();
    }
    auto* const from = buffer.data() + (buffer.size() - left);
    std::memcpy(out.data(), from, out.size());
    std::memset(from, 0, out.size());
    left -= out.size();
}

std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    fill_random({reinterpret_cast<std::uint8_t*>(bytes.data()), count});
    return bytes;
}

}  // namespace buildplan
