// What a stranger can send: heads, chunked bodies, targets, and the headers that are parsed further. Beside not
// crashing: a head that comes in two parts means what it means in one, and so does a chunked body; what was accepted
// holds what the parsers promise.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "net/chunked.hpp"
#include "net/encoding.hpp"
#include "net/head_parser.hpp"
#include "net/proxies.hpp"
#include "net/trace_context.hpp"

namespace {

using namespace buildplan;
using namespace buildplan::net;

void require(bool holds) {
    if (!holds) std::abort();
}

constexpr HeadLimits limits{.head = 2048, .target = 512, .headers = 20, .query_parameters = 8};

struct Result {
    int status = -1;  // -1: incomplete, 0: fine
    std::size_t size = 0;
};

// Feeds `bytes` in two parts, as a connection would see them.
Result find(std::string_view bytes, std::size_t split) {
    HeadScan scan;
    for (auto const size : {split, bytes.size()}) {
        auto const found = scan.find(bytes.substr(0, size), limits);
        if (!found) return {found.error().status, 0};
        if (*found > 0) return {0, *found};
    }
    return {};
}

void check_request(Request const& request, std::string_view head) {
    require(!request.method.empty() && request.headers.size() <= limits.headers &&
            request.query.size() <= limits.query_parameters);
    require(request.target.size() <= limits.target);
    require(request.path == "*" || request.path.starts_with('/'));
    require(is_utf8(request.path) && !request.path.contains('\0'));
    require(request.path != "/.." && !request.path.contains("/../") && !request.path.ends_with("/.."));
    for (auto const& parameter : request.query)
        require(is_utf8(parameter.name) && is_utf8(parameter.value) && !parameter.value.contains('\0'));
    for (auto const& header : request.headers) {
        require(header.name.data() >= head.data() &&
                header.value.data() + header.value.size() <= head.data() + head.size());
        require(header.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
        require(header.name.find_first_of(" \t:\r\n") == std::string_view::npos);
    }
}

void fuzz_head(std::string_view bytes, std::size_t split) {
    auto const whole = find(bytes, bytes.size());
    auto const parts = find(bytes, split);
    require((whole.status == -1) == (parts.status == -1));
    if (whole.status != 0) return require(parts.status == whole.status || (parts.status >= 400 && whole.status >= 400));
    require(parts.status > 0 || parts.size == whole.size);

    auto const head = bytes.substr(0, whole.size);
    Request request;
    std::string decoded;
    auto const framing = parse_head(head, limits, request, decoded);
    // Who is refused while the head is still coming would be refused with the whole of it.
    require(parts.status == 0 || !framing);
    if (!framing) {
        require(framing.error().status >= 400 && framing.error().status < 600);
        return;
    }
    check_request(request, head);
    unsigned hosts = 0, lengths = 0, codings = 0;
    for (auto const& header : request.headers) {
        hosts += ascii_iequals(header.name, "host");
        lengths += ascii_iequals(header.name, "content-length");
        codings += ascii_iequals(header.name, "transfer-encoding");
    }
    require(hosts <= 1 && lengths + codings <= 1);
    require(framing->chunked == (codings == 1));
    require(framing->http_1_0 || hosts == 1);
}

struct Body {
    ChunkedDecoder::State state = ChunkedDecoder::State::more;
    std::string bytes;
    std::size_t used = 0;
};

Body decode(std::string_view bytes, std::size_t split) {
    ChunkedDecoder decoder;
    Body body;
    for (auto part : {bytes.substr(0, split), bytes.substr(split)}) {
        do {
            auto const step = decoder.step(part);
            require(step.consumed <= part.size());
            part.remove_prefix(step.consumed);
            body.used += step.consumed;
            body.bytes += step.piece;
            body.state = step.state;
            require((step.state == ChunkedDecoder::State::piece) == !step.piece.empty());
        } while (body.state == ChunkedDecoder::State::piece);
        if (body.state != ChunkedDecoder::State::more) break;
        require(part.empty());
    }
    return body;
}

void fuzz_chunks(std::string_view bytes, std::size_t split) {
    auto const whole = decode(bytes, bytes.size());
    auto const parts = decode(bytes, split);
    require(whole.state == parts.state && whole.bytes == parts.bytes && whole.used == parts.used);
}

void fuzz_fields(std::string_view bytes) {
    accepts_gzip(bytes);
    if (auto const context = TraceContext::resume(bytes)) {
        auto const again = TraceContext::resume(context->traceparent());
        require(again && again->trace_id() == context->trace_id() && again->parent_id() == context->span_id());
    }
    if (auto const address = Address::parse(bytes)) require(Address::parse(address->to_string()) == *address);
    TrustedProxies proxies;
    proxies.networks.push_back(*Network::parse("10.0.0.0/8"));
    auto const peer = *Address::parse("10.0.0.1");
    std::string_view const lines[] = {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)};
    for (auto const& values : {ForwardedValues{lines, {}, {}, {}}, ForwardedValues{{}, lines, lines, lines},
                               ForwardedValues{lines, lines, {}, {}}}) {
        auto const origin = find_origin(proxies, peer, values);
        require(origin.host.empty() || is_authority(origin.host));
        auto const stranger = *Address::parse("192.0.2.1");
        require(find_origin(proxies, stranger, values).client == stranger);
    }
    (void)Network::parse(bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    std::string_view const bytes(reinterpret_cast<char const*>(data) + 2, size - 2);
    auto const split = bytes.empty() ? 0 : (data[0] * 256u + data[1]) % (bytes.size() + 1);
    fuzz_head(bytes, split);
    fuzz_chunks(bytes, split);
    fuzz_fields(bytes);
    return 0;
}
