// RESP in pieces of any size means the same as RESP in one piece, and nothing that comes in breaks the parser.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "redis/errors.hpp"
#include "redis/parser.hpp"

namespace {

using namespace buildplan::redis;

// Everything that the parser made of it, written down: equality of doubles would not hold for NaN.
void write(std::string& out, Value const& value) {
    out += static_cast<char>('a' + static_cast<int>(value.kind()));
    if (value.is_aggregate()) {
        out += std::to_string(value.size());
        for (auto const& each : value.items()) write(out, each);
    } else if (value.is_text()) {
        out += std::to_string(value.as_text().size());
        out += value.as_text();
    } else if (!value.is_nil()) {
        out += value.kind() == Value::Kind::real ? std::to_string(value.as_real()) : std::to_string(value.as_integer());
    }
}

constexpr Parser::Limits limits{.bulk = 1 << 16, .bytes = 1 << 18, .elements = 1 << 12, .line = 256, .depth = 8};

template <class NextPiece>
std::string parse(std::string_view bytes, NextPiece next_piece) {
    std::string out;
    Parser parser(limits);
    try {
        while (!bytes.empty()) {
            auto piece = bytes.substr(0, next_piece());
            bytes.remove_prefix(piece.size());
            while (auto value = parser.next(piece)) write(out, *value);
            if (!piece.empty()) std::abort();  // "more is needed" means that all was taken
        }
        out += parser.in_the_middle() ? "…" : ".";
    } catch (ProtocolError const&) {
        out += "!";
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    // The first byte seeds the pieces' sizes, the rest is what comes in.
    std::uint32_t state = data[0] + 1U;
    std::string_view const bytes(reinterpret_cast<char const*>(data) + 1, size - 1);
    auto const whole = parse(bytes, [&] { return bytes.size(); });
    auto const split = parse(bytes, [&state] {
        state = state * 1'664'525U + 1'013'904'223U;
        return 1 + (state >> 24) % 9;
    });
    if (whole != split) std::abort();
    return 0;
}
