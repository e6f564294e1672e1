// Content coding (RFC 9110 sections 8.4 and 12.5.3): whether a client takes gzip, which types are worth it, and the
// compressor. A Deflater is some 256 KB, so a loop keeps a few and lends them out.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct z_stream_s;

namespace buildplan::net {

// `values` is the Accept-Encoding header, several lines joined by commas. True when gzip has a weight above 0 that is
// no less than that of `identity`, if that is named.
bool accepts_gzip(std::string_view values) noexcept;

// JSON, text, XML, SVG and JavaScript; `type` with or without parameters.
bool worth_compressing(std::string_view type) noexcept;

class Deflater {
public:
    Deflater();  // throws std::bad_alloc
    ~Deflater();
    Deflater(Deflater const&) = delete;
    Deflater& operator=(Deflater const&) = delete;

    void begin();
    // Appends what is ready to `out`; all of it with the last piece.
    void add(std::string_view piece, bool last, std::string& out);

private:
    std::unique_ptr<z_stream_s> stream_;
};

class Deflaters {
public:
    std::unique_ptr<Deflater> borrow();
    void give_back(std::unique_ptr<Deflater> deflater);

private:
    std::vector<std::unique_ptr<Deflater>> free_;
};

}  // namespace buildplan::net
