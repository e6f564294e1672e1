// ChunkedDecoder: the chunked transfer coding (RFC 9112 section 7.1), as Beast's parser reads it. Extensions and
// trailers are checked for their form and dropped. Bounded: a chunk's size line or the trailers may not exceed the
// buffer that the caller feeds it from.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace buildplan::net {

class ChunkedDecoder {
public:
    enum class State : std::uint8_t { more, piece, end, bad };
    struct Step {
        State state;
        std::size_t consumed;    // bytes of the input that are done with
        std::string_view piece;  // of the body, a view into the input, with State::piece
    };

    ChunkedDecoder();
    ~ChunkedDecoder();
    ChunkedDecoder(ChunkedDecoder&&) noexcept;
    ChunkedDecoder& operator=(ChunkedDecoder&&) noexcept;

    // Takes one step. Whatever was not consumed must be there again, in front, in the next call. `more` wants a longer
    // input than it was given.
    Step step(std::string_view input);

private:
    class Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace buildplan::net
