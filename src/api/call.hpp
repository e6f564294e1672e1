// Call: one request on its way through a handler: what the path, the query, the headers and the body say, as types.
// Everything that does not fit is thrown as a Problem that names it, so a handler reads what it needs and goes on.
// Asking for what the route does not declare is a mistake of ours and throws std::logic_error, which the caller sees
// as a 500. Valid until the handler has answered.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "api/cursor.hpp"
#include "api/etag.hpp"
#include "api/router.hpp"
#include "api/shard.hpp"
#include "core/actor.hpp"
#include "core/json/json.hpp"
#include "core/principal.hpp"
#include "core/problem.hpp"
#include "net/request.hpp"

namespace buildplan::api {

class Call {
public:
    Call(Shard& shard, net::Request const& request, RouteEntry const& entry, PathValues const& values,
         std::shared_ptr<Principal const> principal)
        : shard_(shard), request_(request), entry_(entry), values_(values), principal_(std::move(principal)) {}
    Call(Call const&) = delete;
    Call& operator=(Call const&) = delete;

    // Not there on a route that is open.
    [[nodiscard]] Principal const& principal() const;
    // Who changes something with this call, for SystemPool::begin: the principal, or whom a handler of an open route
    // has found out (`call.actor(Actor::of(user_id))`), with the address and the id of the request. The transaction of
    // a writing handler has it already.
    [[nodiscard]] Actor actor() const;
    [[nodiscard]] Actor actor(Actor who) const;
    [[nodiscard]] net::Request const& request() const noexcept { return request_; }
    [[nodiscard]] Route const& route() const noexcept { return *entry_.route; }
    [[nodiscard]] Shard& shard() const noexcept { return shard_; }
    [[nodiscard]] std::string_view request_id() const noexcept { return request_.id; }
    // With request and trace ids on each line.
    [[nodiscard]] Log log() const;

    // A parameter of the path: an Id or Uuid for `uuid`, std::int64_t for `number`, std::string for the others.
    template <class T>
    [[nodiscard]] T path(std::string_view name) const {
        if constexpr (std::same_as<T, std::string>) {
            return path_text(name);
        } else if constexpr (std::same_as<T, std::int64_t>) {
            return path_number(name);
        } else if constexpr (std::same_as<T, Uuid>) {
            return path_uuid(name);
        } else {
            return T{path_uuid(name)};
        }
    }

    // The body. 415 for another media type, 400 for what is not JSON, 422 for what does not fit.
    template <class T>
    [[nodiscard]] T json() const {
        expect(route().body, json::type_of<T>(), "body");
        check_json();
        return json::decode<T>(request_.body);
    }

    // The query without what `paged` reads. 422 for what does not fit and for a parameter that there is not.
    template <class T>
    [[nodiscard]] T query() const {
        expect(route().query, json::type_of<T>(), "query");
        T out{};
        read_query(json::type_of<T>(), &out);
        return out;
    }

    // Of a paged route: how many, 1 to 100, 20 unless said; and one of the names that the route can be sorted by.
    [[nodiscard]] std::int64_t limit() const;
    [[nodiscard]] std::string_view sort() const;
    // The sort key of the last row of the page before; nothing on the first page. Throws 400 `invalid-cursor`.
    template <class... Values>
    [[nodiscard]] std::optional<std::tuple<Values...>> after() const {
        auto const keyset = opened_cursor();
        if (!keyset) return std::nullopt;
        auto values = KeysetReader::decode<Values...>(*keyset);
        if (!values) throw_invalid_cursor();
        return values;
    }
    // A cursor that `after` reads in a call that differs in nothing but cursor and limit.
    [[nodiscard]] std::string cursor(std::string_view keyset) const;

    // What If-Match allows of that resource; see etag.hpp. The pipeline has seen to 428.
    template <class T>
    [[nodiscard]] IfMatch if_match(T const& id) const {
        return parse_if_match(request_.header("If-Match"), uuid_of(id));
    }

private:
    static Uuid uuid_of(Uuid id) noexcept { return id; }
    template <class Tag>
    static Uuid uuid_of(Id<Tag> id) noexcept {
        return id.value;
    }
    [[nodiscard]] std::string_view raw_path_value(std::string_view name, bool (*fits_type)(ParameterKind)) const;
    [[nodiscard]] std::string path_text(std::string_view name) const;
    [[nodiscard]] std::int64_t path_number(std::string_view name) const;
    [[nodiscard]] Uuid path_uuid(std::string_view name) const;
    static void expect(Shape const& declared, json::Type const& asked, char const* what);
    void check_json() const;
    void read_query(json::Type const& type, void* out) const;
    void expect_paged() const;
    [[nodiscard]] std::optional<std::string> opened_cursor() const;
    [[noreturn]] static void throw_invalid_cursor();
    // What a cursor is bound to.
    [[nodiscard]] std::string scope() const;

    Shard& shard_;
    net::Request const& request_;
    RouteEntry const& entry_;
    PathValues const& values_;
    std::shared_ptr<Principal const> principal_;
};

}  // namespace buildplan::api
