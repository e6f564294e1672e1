#include "core/actor.hpp"

namespace buildplan {
namespace {

constexpr std::size_t longest_name = 254;
constexpr std::size_t longest_address = 64;
constexpr std::size_t longest_request_id = 200;
constexpr char separator = '\x1f';

// Bytes bound characters too. Never ends within a character.
void append(std::string& out, std::string_view field, std::size_t most) {
    if (field.size() > most) {
        while (most > 0 && (static_cast<unsigned char>(field[most]) & 0xc0) == 0x80) --most;
        field = field.substr(0, most);
    }
    for (char const c : field) {
        if (static_cast<unsigned char>(c) >= 0x20 && c != '\x7f') out += c;
    }
}

}  // namespace

std::string Actor::text() const {
    std::string out(to_string(kind));
    out += separator;
    if (id) out += id->to_string();
    out += separator;
    append(out, name, longest_name);
    out += separator;
    append(out, address, longest_address);
    out += separator;
    append(out, request_id, longest_request_id);
    return out;
}

std::string_view to_string(Actor::Kind kind) noexcept {
    switch (kind) {
        case Actor::Kind::user:
            return "user";
        case Actor::Kind::api_key:
            return "api_key";
        case Actor::Kind::system:
            break;
    }
    return "system";
}

}  // namespace buildplan
