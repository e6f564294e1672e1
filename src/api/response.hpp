// What a handler answers with, short: `co_return ok(workspace).header("ETag", …)`. A struct that is described becomes
// JSON; nothing else does.
#pragma once

#include <cstdint>
#include <string_view>

#include "api/etag.hpp"
#include "core/id.hpp"
#include "core/json/encode.hpp"
#include "net/response.hpp"

namespace buildplan::api {

using Response = net::Response;

template <class T>
Response json_response(int status, T const& value) {
    std::string text;
    text.reserve(512);
    json::append(text, value);
    return {status, net::content_type::json, std::move(text)};
}

// 200 with a body.
template <class T>
Response ok(T const& value) {
    return json_response(200, value);
}
// 201, and where the new resource is.
template <class T>
Response created(T const& value, std::string_view location) {
    auto response = json_response(201, value);
    response.header("Location", location);
    return response;
}
// 202: the work goes on; `location` is where to follow it.
template <class T>
Response accepted(T const& value, std::string_view location) {
    auto response = json_response(202, value);
    response.header("Location", location);
    return response;
}
// 204.
inline Response no_content() { return Response{204}; }

// Says which version of the resource the answer shows.
template <class Tag>
Response with_etag(Response response, Id<Tag> const& id, std::int64_t version) {
    response.header("ETag", make_etag(id.value, version));
    return response;
}

}  // namespace buildplan::api
