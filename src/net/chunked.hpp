// ChunkedDecoder: the chunked transfer coding (RFC 9112 section 7.1). Strict: every line ends with CRLF, a size is
// nothing but hexadecimal digits, extensions and trailers hold no control characters. Both are dropped, and bounded.
// Ours, because Beast's parser asserts on a last chunk that comes in parts and lets extensions grow with its buffer.
#pragma once

#include <cstdint>
#include <string_view>

namespace buildplan::net {

class ChunkedDecoder {
public:
    enum class State : std::uint8_t { more, piece, end, bad };
    struct Step {
        State state;
        std::size_t consumed;    // bytes of the input that are done with: all of them, with State::more
        std::string_view piece;  // of the body, a view into the input, with State::piece
    };

    // Goes on to the next piece of the body, or to the end of it or of the input. Nothing may follow `end` or `bad`.
    Step step(std::string_view input) noexcept;

private:
    enum class At : std::uint8_t {
        first_digit,
        digits,
        blank,
        extension,
        size_end,
        data,
        data_cr,
        data_lf,
        line,
        name,
        value,
        line_end,
        last_end,
        done
    };
    // False when the byte may not be there.
    bool take(unsigned char byte) noexcept;
    bool take_size(unsigned char byte) noexcept;
    bool take_trailer(unsigned char byte) noexcept;

    At at_ = At::first_digit;
    std::uint64_t left_ = 0;     // of the chunk
    std::uint32_t dropped_ = 0;  // bytes of extensions and trailers
};

}  // namespace buildplan::net
