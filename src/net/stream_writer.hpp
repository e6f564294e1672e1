// StreamWriter: the way of a streamed body to its client, in chunks (RFC 9112 section 7.1) or, for HTTP/1.0, as it is.
#pragma once

#include <cstdint>
#include <string_view>

#include "net/response.hpp"
#include "net/wire.hpp"

namespace buildplan::net {

class StreamWriter final : public BodyWriter {
public:
    // Adds what it sends to `sent`.
    StreamWriter(Wire& wire, Clock::duration progress, bool chunked, std::uint64_t& sent)
        : wire_(wire), progress_(progress), chunked_(chunked), sent_(sent) {}

    task<> write(std::string_view piece) override;

private:
    Wire& wire_;
    Clock::duration progress_;
    bool chunked_;
    std::uint64_t& sent_;
    std::size_t at_once_ = 0;  // written since others had their turn
};

}  // namespace buildplan::net
