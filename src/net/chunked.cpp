#include "net/chunked.hpp"

#include <algorithm>

namespace buildplan::net {
namespace {

constexpr std::uint64_t max_chunk = std::uint64_t{1} << 40;
constexpr std::uint32_t max_dropped = 16 * 1024;  // over the whole body

int nibble(unsigned char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_text(unsigned char c) noexcept { return (c >= 0x20 && c != 0x7f) || c == '\t'; }

bool is_token(unsigned char c) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.contains(static_cast<char>(c));
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::step(std::string_view input) noexcept {
    for (std::size_t i = 0; i < input.size(); ++i) {
        if (at_ == At::data) {
            auto const piece =
                input.substr(i, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - i)));
            left_ -= piece.size();
            if (left_ == 0) at_ = At::data_cr;
            return {State::piece, i + piece.size(), piece};
        }
        if (!take(static_cast<unsigned char>(input[i]))) return {State::bad, i, {}};
        if (at_ == At::done) return {State::end, i + 1, {}};
    }
    return {State::more, input.size(), {}};
}

bool ChunkedDecoder::take(unsigned char byte) noexcept {
    switch (at_) {
        case At::first_digit:
        case At::digits:
        case At::blank:
        case At::extension:
        case At::size_end:
            return take_size(byte);
        case At::data_cr:
            at_ = At::data_lf;
            return byte == '\r';
        case At::data_lf:
            at_ = At::first_digit;
            return byte == '\n';
        case At::data:
        case At::done:
            return false;
        default:
            return take_trailer(byte);
    }
}

bool ChunkedDecoder::take_size(unsigned char byte) noexcept {
    if (at_ == At::size_end) {
        at_ = left_ > 0 ? At::data : At::line;
        return byte == '\n';
    }
    if (at_ == At::first_digit || at_ == At::digits) {
        if (int const digit = nibble(byte); digit >= 0) {
            left_ = (at_ == At::digits ? left_ * 16 : 0) + static_cast<std::uint64_t>(digit);
            at_ = At::digits;
            return left_ < max_chunk && ++dropped_ < max_dropped;  // zeros in front are bounded too
        }
        if (at_ == At::first_digit) return false;
    }
    if (byte == '\r') {
        bool const complete = at_ != At::blank;
        at_ = At::size_end;
        return complete;
    }
    if (at_ != At::extension) {
        if (byte != ';' && byte != ' ' && byte != '\t') return false;
        at_ = byte == ';' ? At::extension : At::blank;
    }
    return is_text(byte) && ++dropped_ < max_dropped;
}

bool ChunkedDecoder::take_trailer(unsigned char byte) noexcept {
    switch (at_) {
        case At::line:
            if (byte == '\r') {
                at_ = At::last_end;
                return true;
            }
            at_ = At::name;
            return is_token(byte) && ++dropped_ < max_dropped;
        case At::name:
            if (byte == ':') {
                at_ = At::value;
                return true;
            }
            return is_token(byte) && ++dropped_ < max_dropped;
        case At::value:
            if (byte == '\r') {
                at_ = At::line_end;
                return true;
            }
            return is_text(byte) && ++dropped_ < max_dropped;
        case At::line_end:
            at_ = At::line;
            return byte == '\n';
        case At::last_end:
            at_ = At::done;
            return byte == '\n';
        default:
            return false;
    }
}

}  // namespace buildplan::net
