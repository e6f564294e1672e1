// Routes are data. A row says where it listens, who may call it, which function answers, and what its callers need to
// know; the router, the pipeline, /metrics, the OpenAPI document and the reference pages are all made from it:
//
//     constexpr api::Route routes[] = {
//         {"POST", "/v1/workspaces", "workspaces.create", handle<create_workspace>, "Create a workspace",
//          tag("Workspaces"), body<NewWorkspace>, returns<Workspace>(201), versioned},
//     };
//
// A handler is a free function of one of two kinds. A reading one is given the shard and opens what it needs. A writing
// one is given a transaction that the pipeline began and will commit together with the answer kept for Idempotency-Key;
// it may run again from its start after a serialization failure, so it has no effect but through the transaction.
// Rows are checked when the program is compiled: a bad path, an unknown method, an empty summary or permission, a
// declaration that does not fit its method stops the compiler with a sentence. See declarations.hpp for what a row may
// say after its summary.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "api/method.hpp"
#include "api/pattern.hpp"
#include "core/json/describe.hpp"
#include "runtime/task.hpp"

namespace buildplan::net {
class Response;
}

namespace buildplan::api {

class Call;
class Tx;
struct Shard;
using Response = net::Response;

// Who may call a route. A permission's name is what a Principal must hold; the others are said out loud.
struct Access {
    enum class Kind : std::uint8_t { permission, anybody, signed_in, installation };

    consteval Access(char const* permission) : Access(Kind::permission, permission) {}  // NOLINT: a row names it bare
    consteval Access(Kind kind_, std::string_view permission_) : kind(kind_), permission(permission_) {
        if (kind != Kind::permission) return;
        if (permission.empty()) throw "a route has a permission, or says api::open";
        for (char const c : permission) {
            if (!(c >= 'a' && c <= 'z') && c != '.' && c != '_')
                throw "a permission is written like org.members.create";
        }
    }
    Kind kind;
    std::string_view permission;
};

inline constexpr Access open{Access::Kind::anybody, ""};             // no authentication at all
inline constexpr Access any_principal{Access::Kind::signed_in, ""};  // whoever is authenticated
// Whoever runs the installation: no permission of an organization covers it, "*" neither.
inline constexpr Access installation_owner{Access::Kind::installation, ""};

struct Handler {
    task<Response> (*read)(Shard&, Call const&) = nullptr;
    task<Response> (*write)(Tx&, Call const&) = nullptr;
    std::string_view function;  // "create_workspace": the operationId is made of it
};

namespace detail {

template <auto Function>
consteval std::string_view function_name() {
    std::string_view name = __PRETTY_FUNCTION__;
    auto const mark = name.find("Function = ");
    name = name.substr(mark + 11);
    name = name.substr(0, name.find_first_of("];"));
    auto const scope = name.rfind("::");
    if (scope != std::string_view::npos) name = name.substr(scope + 2);
    if (name.starts_with('&')) name.remove_prefix(1);
    return name;
}

template <auto Function>
consteval Handler make_handler() {
    Handler handler;
    if constexpr (std::is_same_v<decltype(Function), decltype(Handler::read)>) {
        handler.read = Function;
    } else {
        static_assert(std::is_same_v<decltype(Function), decltype(Handler::write)>,
                      "A handler is task<Response>(Shard&, Call const&) or task<Response>(Tx&, Call const&).");
        handler.write = Function;
    }
    handler.function = function_name<Function>();
    return handler;
}

}  // namespace detail

template <auto Function>
inline constexpr Handler handle = detail::make_handler<Function>();

// A struct on the wire, as a row holds it.
struct Shape {
    json::Type const& (*type)() noexcept = nullptr;
    // Decodes a text as that struct, for the test that every example is true. Throws Problem.
    void (*try_decode)(std::string_view) = nullptr;

    explicit constexpr operator bool() const noexcept { return type != nullptr; }
};

// One of the answers of a route.
struct Answer {
    int status = 0;
    std::string_view media;  // empty: no content
    Shape shape;             // of JSON
    std::string_view description;
    std::string_view example;
};

// A refusal that is this route's own, beside those that the pipeline makes.
struct Failure {
    int status = 0;
    std::string_view code;
    std::string_view description;
};

struct ResponseHeader {
    std::string_view name;
    std::string_view description;
};

// A list inside a row: constexpr, bounded.
template <class T, std::size_t Most>
class Few {
public:
    constexpr void push(T item) {
        if (size_ == Most) throw "too many declarations of one kind in a row";
        items_[size_++] = item;
    }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T const& front() const noexcept { return items_[0]; }
    [[nodiscard]] constexpr auto begin() const noexcept { return items_.begin(); }
    [[nodiscard]] constexpr auto end() const noexcept { return items_.begin() + static_cast<std::ptrdiff_t>(size_); }

private:
    std::array<T, Most> items_{};
    std::size_t size_ = 0;
};

inline constexpr std::size_t default_body_limit = 262'144;

struct Route {
    template <class... Declarations>
    consteval Route(std::string_view method_name, std::string_view path_, Access access_, Handler handler_,
                    std::string_view summary_, Declarations const&... declarations)
        : method(known_method(method_name)), path(path_), access(access_), handler(handler_), summary(summary_) {
        check_pattern(path);
        if (summary.empty() || summary.ends_with('.')) throw "a summary is a short phrase without a full stop";
        (declarations.declare(*this), ...);
        check();
    }

    Method method;
    std::string_view path;
    Access access;
    Handler handler;
    std::string_view summary;

    std::string_view description;
    std::string_view tag = "Other";
    std::string_view tag_description;
    Shape body;
    std::string_view body_example;
    std::size_t body_limit = default_body_limit;
    Shape query;
    Few<Answer, 4> answers;
    Few<Failure, 8> failures;
    Few<ResponseHeader, 4> headers;
    // What a list can be sorted by, "-" for descending; the first is the default. Not empty: the route is paged.
    Few<std::string_view, 8> sorts;
    bool heavy = false;                 // runs on the connections that slow statements have of their own
    bool versioned = false;             // answers carry an ETag
    bool match_required = false;        // If-Match must be there
    bool unlimited = false;             // not counted by the rate limit
    bool secret = false;                // its answer shows a secret: kept for Idempotency-Key sealed only
    std::string_view counted_as;        // a limit of its own that a call counts against, beside that of all calls
    std::string_view deprecated_since;  // an RFC 3339 date
    std::string_view sunset;            // an RFC 3339 date

    [[nodiscard]] constexpr bool writes() const noexcept { return handler.write != nullptr; }
    [[nodiscard]] constexpr bool takes_idempotency_key() const noexcept { return method == Method::post && writes(); }
    [[nodiscard]] constexpr bool takes_if_match() const noexcept {
        return versioned && (method == Method::patch || method == Method::delete_ || method == Method::put);
    }
    [[nodiscard]] constexpr bool takes_if_none_match() const noexcept { return versioned && method == Method::get; }

private:
    static consteval Method known_method(std::string_view name) {
        auto const found = parse_method(name);
        if (!found) throw "a route's method is GET, POST, PUT, PATCH or DELETE";
        return *found;
    }
    consteval void check() const {
        if (method == Method::get && body) throw "a GET has no body";
        if (method == Method::get && writes()) throw "a GET does not write";
        if (writes() && access.kind == Access::Kind::anybody)
            throw "without a principal there is no tenant to write for";
        if (answers.empty()) throw "a route says what it returns";
        if (match_required && !takes_if_match()) throw "If-Match is for PATCH, PUT and DELETE of what is versioned";
        if (unlimited && !counted_as.empty()) throw "what is not limited is not counted";
        if (!sorts.empty() && method != Method::get) throw "only a GET is paged";
    }
};

// The tables of a program, one after another; a route's number is its place.
using RouteTables = std::span<std::span<Route const> const>;

}  // namespace buildplan::api
