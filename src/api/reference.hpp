// Reference: /openapi.json and the pages at /docs as they go out, with their ETags. Made when first asked for, once for
// all shards, because most processes are never asked.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "api/route.hpp"

namespace buildplan::api {

class Reference {
public:
    // The tables outlive it.
    Reference(RouteTables tables, std::string version) : tables_(tables), version_(std::move(version)) {}
    Reference(Reference const&) = delete;
    Reference& operator=(Reference const&) = delete;

    struct File {
        std::string text;
        std::string etag;
    };
    File const& openapi();
    File const& page();
    File const& problems();
    File const& style();

private:
    void make();

    RouteTables tables_;
    std::string version_;
    std::once_flag made_;
    File openapi_, page_, problems_, style_;
};

}  // namespace buildplan::api
