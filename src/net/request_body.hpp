// RequestBody: reads the body that follows a head, as a whole or in pieces, by length or in chunks, never more of it
// than was allowed and never a byte of what comes behind it. Sends the `100 Continue` that a client waits for, but only
// when the body is really wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/buffer.hpp"
#include "net/chunked.hpp"
#include "net/head_parser.hpp"
#include "net/request.hpp"
#include "net/wire.hpp"

namespace buildplan::net {

class RequestBody final : public BodyReader {
public:
    // `input` begins with the head, of `head_size` bytes. Both outlive this.
    RequestBody(Wire& wire, Buffer& input, std::size_t head_size, Framing const& framing, Timeouts const& timeouts);

    void limit(std::size_t most) noexcept { limit_ = most; }
    [[nodiscard]] bool too_long() const noexcept { return framing_.content_length > limit_; }
    [[nodiscard]] bool empty() const noexcept { return !framing_.chunked && framing_.content_length == 0; }

    // When all of it was sent along with the head: no waiting, no copy.
    std::optional<std::string_view> at_hand() noexcept;
    // All of it, in `storage`. Throws as `read` does.
    task<std::string_view> whole(std::string& storage);
    task<std::string_view> read() override;

    [[nodiscard]] bool finished() const noexcept { return finished_; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
    // Whether reading failed because the client left.
    [[nodiscard]] bool broken() const noexcept { return broken_; }
    [[nodiscard]] bool worth_discarding(std::size_t at_most) const noexcept;
    // Reads what is left and drops it, so that the connection can be used again. False when it does not come.
    task<bool> discard();
    // After the answer: leaves in the input what comes behind this request.
    void release();
    // Whether there are bytes behind this request.
    [[nodiscard]] bool more_behind() const noexcept;

private:
    // Makes room for reading without moving the head, which has views into it.
    void take_over();
    task<> fill(Buffer& into);
    task<std::size_t> receive(char* to, std::size_t room);
    task<std::string_view> next_chunk();

    Wire& wire_;
    Buffer& input_;
    Framing const& framing_;
    Timeouts const& timeouts_;
    std::size_t at_;  // of `input_`: where what follows the head begins
    std::size_t limit_ = 0;
    std::uint64_t received_ = 0;
    bool finished_ = false;
    bool stalled_ = false, broken_ = false;
    bool must_invite_;  // the client waits for 100 Continue
    std::optional<ChunkedDecoder> decoder_;
    std::optional<Buffer> own_;  // in place of the input, once that does not do
    std::size_t used_ = 0;       // of own_: given out by the last read
};

}  // namespace buildplan::net
