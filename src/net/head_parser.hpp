// HeadParser: the head of a request, from its first byte to the empty line, as Beast's parser reads it, with everything
// refused on which two implementations could disagree (request smuggling): both lengths, repeated or odd ones, folded
// lines, more than one Host, spaces before a colon, bare CR or LF. A head is parsed once it is there as a whole, so how
// it was split on its way makes no difference.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/request.hpp"
#include "net/target.hpp"

namespace buildplan::net {

struct HeadLimits {
    std::size_t head = 16u << 10;
    std::size_t target = 8u << 10;
    std::size_t headers = 100;
    std::size_t query_parameters = 64;
};

// What a head says about the bytes that follow it.
struct Framing {
    bool keep_alive = true;
    bool http_1_0 = false;
    bool chunked = false;
    bool expects_continue = false;
    std::uint64_t content_length = 0;
};

// Finds the empty line. Feed it the same buffer again when there is more in it.
class HeadScan {
public:
    // Bytes of the head, its empty line included; 0 while more is needed; a refusal when no more can help.
    std::expected<std::size_t, Refusal> find(std::string_view buffered, HeadLimits const& limits);
    void reset() noexcept { searched_ = 0; }

private:
    std::size_t searched_ = 0;
};

// Line ends before a request line, which RFC 9112 section 2.2 wants skipped.
std::size_t leading_line_ends(std::string_view buffered) noexcept;

// Parses a whole head. `request` must be empty and gets views into `head` and `decoded`. Sets everything of the request
// but remote, id, trace and times.
std::expected<Framing, Refusal> parse_head(std::string_view head, HeadLimits const& limits, Request& request,
                                           std::string& decoded);

}  // namespace buildplan::net
