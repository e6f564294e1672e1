// Packer: MessagePack (github.com/msgpack/msgpack/blob/master/spec.md) to the end of a string, for the arguments of
// BullMQ's scripts. Numbers come out as BullMQ's own client writes them: what does not fit into 32 bits as a double,
// because that is what they become in Lua.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace buildplan::queue::bullmq {

class Packer {
public:
    explicit Packer(std::string& out) : out_(out) {}

    Packer& nil();
    Packer& boolean(bool truth);
    Packer& integer(std::int64_t number);
    Packer& number(double number);
    Packer& text(std::string_view text);
    Packer& text_or_nil(std::string_view text) { return text.empty() ? nil() : this->text(text); }
    // What follows are so many values, or so many keys and values.
    Packer& array(std::size_t size);
    Packer& map(std::size_t size);
    Packer& json(boost::json::value const& value);

private:
    void head(std::uint8_t small, std::size_t small_below, std::uint8_t two_bytes, std::size_t size);
    template <class Number>
    void big_endian(std::uint8_t head, Number number);
    std::string& out_;
};

}  // namespace buildplan::queue::bullmq
