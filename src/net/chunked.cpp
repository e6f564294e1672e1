#include "net/chunked.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace buildplan::net {

namespace http = boost::beast::http;

class ChunkedDecoder::Parser final : public http::basic_parser<true> {
public:
    Parser() {
        eager(false);
        body_limit(boost::none);
        // Beast's parser comes to a body by way of a head.
        constexpr std::string_view head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        boost::system::error_code error;
        put({head.data(), head.size()}, error);
    }

    std::string_view piece;

private:
    using Text = boost::beast::string_view;
    using Error = boost::system::error_code;
    void on_request_impl(http::verb, Text, Text, int, Error& error) override { error = {}; }
    void on_response_impl(int, Text, int, Error& error) override { error = {}; }
    void on_field_impl(http::field, Text, Text, Error& error) override { error = {}; }
    void on_header_impl(Error& error) override { error = {}; }
    void on_body_init_impl(boost::optional<std::uint64_t> const&, Error& error) override { error = {}; }
    std::size_t on_body_impl(Text text, Error& error) override {
        error = {};
        return text.size();
    }
    void on_chunk_header_impl(std::uint64_t, Text, Error& error) override { error = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, Text text, Error& error) override {
        error = {};
        piece = {text.data(), text.size()};
        return text.size();
    }
    void on_finish_impl(Error& error) override { error = {}; }
};

ChunkedDecoder::ChunkedDecoder() : parser_(std::make_unique<Parser>()) {}
ChunkedDecoder::~ChunkedDecoder() = default;
ChunkedDecoder::ChunkedDecoder(ChunkedDecoder&&) noexcept = default;
ChunkedDecoder& ChunkedDecoder::operator=(ChunkedDecoder&&) noexcept = default;

ChunkedDecoder::Step ChunkedDecoder::step(std::string_view input) {
    std::size_t consumed = 0;
    parser_->piece = {};
    while (!parser_->is_done()) {
        if (consumed == input.size()) return {State::more, consumed, {}};
        boost::system::error_code error;
        consumed += parser_->put({input.data() + consumed, input.size() - consumed}, error);
        if (error == http::error::need_more) return {State::more, consumed, {}};
        if (error) return {State::bad, consumed, {}};
        if (!parser_->piece.empty()) return {State::piece, consumed, parser_->piece};
    }
    return {State::end, consumed, {}};
}

}  // namespace buildplan::net
