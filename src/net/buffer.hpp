// Buffer: bytes read from a socket and not yet used. Its memory comes with the first byte and can be given back when
// nothing is in it, so that an idle connection holds none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace buildplan::net {

class Buffer {
public:
    [[nodiscard]] std::string_view view() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

    // Room for at least `least` more bytes; moves what is there when it must, so views become invalid.
    std::pair<char*, std::size_t> prepare(std::size_t least) {
        if (capacity_ - end_ < least) {
            if (capacity_ < size() + least) {
                auto const bigger = std::max({capacity_ * 2, size() + least, smallest});
                std::unique_ptr<char[]> moved(new char[bigger]);
                if (!empty()) std::memcpy(moved.get(), data_.get() + begin_, size());
                data_ = std::move(moved);
                capacity_ = bigger;
            } else if (!empty()) {
                std::memmove(data_.get(), data_.get() + begin_, size());
            }
            end_ -= begin_;
            begin_ = 0;
        }
        return {data_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t n) noexcept { end_ += n; }
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        std::memcpy(prepare(bytes.size()).first, bytes.data(), bytes.size());
        commit(bytes.size());
    }
    void consume(std::size_t n) noexcept {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    // Keeps the first `n` bytes.
    void truncate(std::size_t n) noexcept { end_ = begin_ + n; }

private:
    static constexpr std::size_t smallest = 2048;

    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace buildplan::net
