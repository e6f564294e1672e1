#include "queue/bullmq/pack.hpp"

#include <bit>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstring>
#include <limits>

namespace buildplan::queue::bullmq {

template <class Number>
void Packer::big_endian(std::uint8_t head, Number number) {
    char bytes[1 + sizeof number];
    bytes[0] = static_cast<char>(head);
    auto const swapped = std::byteswap(number);
    std::memcpy(bytes + 1, &swapped, sizeof swapped);
    out_.append(bytes, sizeof bytes);
}

Packer& Packer::nil() {
    out_ += '\xc0';
    return *this;
}

Packer& Packer::boolean(bool truth) {
    out_ += truth ? '\xc3' : '\xc2';
    return *this;
}

Packer& Packer::integer(std::int64_t number) {
    if (number >= -32 && number < 128) {
        out_ += static_cast<char>(number);
    } else if (number >= 0 && number <= std::numeric_limits<std::uint32_t>::max()) {
        if (number < 0x100) {
            big_endian(0xcc, static_cast<std::uint8_t>(number));
        } else if (number < 0x10000) {
            big_endian(0xcd, static_cast<std::uint16_t>(number));
        } else {
            big_endian(0xce, static_cast<std::uint32_t>(number));
        }
    } else if (number < 0 && number >= std::numeric_limits<std::int32_t>::min()) {
        big_endian(0xd2, static_cast<std::uint32_t>(number));
    } else {
        big_endian(0xcb, std::bit_cast<std::uint64_t>(static_cast<double>(number)));
    }
    return *this;
}

Packer& Packer::number(double number) {
    constexpr double fits = 4294967295.0;
    if (number >= -2147483648.0 && number <= fits && number == std::trunc(number) &&
        !(number == 0 && std::signbit(number))) {
        return integer(static_cast<std::int64_t>(number));
    }
    big_endian(0xcb, std::bit_cast<std::uint64_t>(number));
    return *this;
}

void Packer::head(std::uint8_t small, std::size_t small_below, std::uint8_t two_bytes, std::size_t size) {
    if (size < small_below) {
        out_ += static_cast<char>(small | size);
    } else if (size < 0x10000) {
        big_endian(two_bytes, static_cast<std::uint16_t>(size));
    } else {
        big_endian(static_cast<std::uint8_t>(two_bytes + 1), static_cast<std::uint32_t>(size));
    }
}

Packer& Packer::text(std::string_view text) {
    head(0xa0, 32, 0xda, text.size());
    out_ += text;
    return *this;
}

Packer& Packer::array(std::size_t size) {
    head(0x90, 16, 0xdc, size);
    return *this;
}

Packer& Packer::map(std::size_t size) {
    head(0x80, 16, 0xde, size);
    return *this;
}

Packer& Packer::json(boost::json::value const& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return nil();
        case boost::json::kind::bool_:
            return boolean(value.get_bool());
        case boost::json::kind::int64:
            return integer(value.get_int64());
        case boost::json::kind::uint64:
            return number(static_cast<double>(value.get_uint64()));
        case boost::json::kind::double_:
            return number(value.get_double());
        case boost::json::kind::string:
            return text(value.get_string());
        case boost::json::kind::array:
            array(value.get_array().size());
            for (auto const& each : value.get_array()) json(each);
            return *this;
        case boost::json::kind::object:
            break;
    }
    map(value.get_object().size());
    for (auto const& [key, each] : value.get_object()) text(key).json(each);
    return *this;
}

}  // namespace buildplan::queue::bullmq
