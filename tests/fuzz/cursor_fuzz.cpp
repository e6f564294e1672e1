// Whatever the bytes: a cursor that was not sealed here does not open, a keyset that is read back is what was written,
// and the headers that callers write by hand (entity tags, idempotency keys, percent-encoding) are read or refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "api/cursor.hpp"
#include "api/etag.hpp"
#include "api/idempotency.hpp"
#include "api/pattern.hpp"
#include "core/problem.hpp"
#include "core/text.hpp"

namespace {

using namespace buildplan;

void require(bool holds) {
    if (!holds) std::abort();
}

template <class... Values>
void read_as(std::string_view bytes) {
    auto const values = api::KeysetReader::decode<Values...>(bytes);
    if (!values) return;
    auto const written = std::apply([](auto const&... value) { return api::KeysetWriter::encode(value...); }, *values);
    require(written == bytes);
}

void open_cursor(std::string_view text) {
    api::Cursors const cursors("fuzzer");
    auto const keyset = cursors.open("scope", text);
    if (keyset) require(cursors.seal("scope", *keyset) == text);
    auto const sealed = cursors.seal(text, text);
    require(sealed.size() > api::max_cursor_length || cursors.open(text, sealed) == text);
    require(!cursors.open(std::string(text) + "x", sealed));
}

void read_headers(std::string_view text) {
    auto const id = *Uuid::parse("0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f");
    try {
        auto const match = api::parse_if_match(text, id);
        for (auto const version : match.versions)
            require(text.find(api::make_etag(id, version)) != std::string_view::npos);
    } catch (Problem const& problem) {
        require(problem.status == 400);
    }
    static_cast<void>(api::none_match_names(text, "\"1\""));
    if (auto const key = api::parse_idempotency_key(text)) require(!key->empty() && key->size() <= 255);
    auto const decoded = api::percent_decode(text);
    require(api::percent_decode(api::percent_encode(text)) == text);
    if (decoded) require(decoded->size() <= text.size());
    for (auto const kind : {api::ParameterKind::uuid, api::ParameterKind::slug, api::ParameterKind::number,
                            api::ParameterKind::text, api::ParameterKind::rest}) {
        if (api::fits(kind, text)) require(decoded.has_value() && is_utf8(*decoded));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text{reinterpret_cast<char const*>(data), size};
    open_cursor(text);
    read_as<std::int64_t>(text);
    read_as<Timestamp, Uuid>(text);
    read_as<std::string, Uuid>(text);
    read_as<bool, std::string, std::int64_t>(text);
    read_headers(text);
    return 0;
}
