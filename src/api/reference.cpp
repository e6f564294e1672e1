#include "api/reference.hpp"

#include <boost/json/serialize.hpp>

#include "api/docs/reference_page.hpp"
#include "api/openapi.hpp"
#include "core/crypto.hpp"
#include "core/text.hpp"

namespace buildplan::api {
namespace {

Reference::File file(std::string text) {
    auto etag = '"' + base64url(sha256(text).substr(0, 12)) + '"';
    return {std::move(text), std::move(etag)};
}

}  // namespace

void Reference::make() {
    auto const document = openapi_document(tables_, version_);
    openapi_ = file(boost::json::serialize(document));
    page_ = file(docs::reference_page(document));
    problems_ = file(docs::problems_page(tables_));
    style_ = file(std::string(docs::style_sheet()));
}

Reference::File const& Reference::openapi() {
    std::call_once(made_, [this] { make(); });
    return openapi_;
}
Reference::File const& Reference::page() {
    std::call_once(made_, [this] { make(); });
    return page_;
}
Reference::File const& Reference::problems() {
    std::call_once(made_, [this] { make(); });
    return problems_;
}
Reference::File const& Reference::style() {
    std::call_once(made_, [this] { make(); });
    return style_;
}

}  // namespace buildplan::api
