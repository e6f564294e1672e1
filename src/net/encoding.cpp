#include "net/encoding.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>

#include "core/text.hpp"

namespace buildplan::net {
namespace {

// A weight in thousandths (RFC 9110 section 12.4.2), 0 when malformed.
int weight(std::string_view text) noexcept {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
    int value = (text[0] - '0') * 1000;
    if (text.size() == 1) return value;
    if (text[1] != '.') return 0;
    int place = 100;
    for (char const c : text.substr(2)) {
        if (c < '0' || c > '9') return 0;
        value += (c - '0') * place;
        place /= 10;
    }
    return value > 1000 ? 0 : value;
}

}  // namespace

bool accepts_gzip(std::string_view values) noexcept {
    int gzip = -1, identity = -1, any = -1;
    while (!values.empty()) {
        auto item = values.substr(0, values.find(','));
        values.remove_prefix(std::min(item.size() + 1, values.size()));
        auto const semicolon = item.find(';');
        auto const coding = trim(item.substr(0, semicolon));
        int q = 1000;
        if (semicolon != std::string_view::npos) {
            auto const parameter = trim(item.substr(semicolon + 1));
            q = parameter.size() > 2 && ascii_iequals(parameter.substr(0, 2), "q=") ? weight(parameter.substr(2)) : 0;
        }
        if (ascii_iequals(coding, "gzip") || ascii_iequals(coding, "x-gzip")) gzip = std::max(gzip, q);
        if (ascii_iequals(coding, "identity")) identity = q;
        if (coding == "*") any = q;
    }
    if (gzip < 0) gzip = any;
    return gzip > 0 && gzip >= identity;
}

bool worth_compressing(std::string_view type) noexcept {
    type = trim(type.substr(0, type.find(';')));
    return type.starts_with("text/") || type.ends_with("json") || type.ends_with("xml") ||
           type == "application/javascript";
}

Deflater::Deflater() : stream_(std::make_unique<z_stream_s>()) {
    // Level 1: at 30 microseconds a request, anything slower would be most of the work. 16 asks for the gzip wrapper.
    if (::deflateInit2(stream_.get(), 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
}

Deflater::~Deflater() { ::deflateEnd(stream_.get()); }

void Deflater::begin() { ::deflateReset(stream_.get()); }

void Deflater::add(std::string_view piece, bool last, std::string& out) {
    auto& z = *stream_;
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    z.avail_in = static_cast<uInt>(piece.size());
    for (;;) {
        auto const before = out.size();
        auto const room = std::max<std::size_t>(piece.size() / 4, 512);
        int result = Z_OK;
        out.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
            z.next_out = reinterpret_cast<Bytef*>(data + before);
            z.avail_out = static_cast<uInt>(room);
            result = ::deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
            return before + room - z.avail_out;
        });
        if (result == Z_STREAM_END || (z.avail_in == 0 && z.avail_out > 0 && !last)) return;
    }
}

std::unique_ptr<Deflater> Deflaters::borrow() {
    if (free_.empty()) return std::make_unique<Deflater>();
    auto deflater = std::move(free_.back());
    free_.pop_back();
    return deflater;
}

void Deflaters::give_back(std::unique_ptr<Deflater> deflater) {
    if (free_.size() < 2) free_.push_back(std::move(deflater));
}

}  // namespace buildplan::net
