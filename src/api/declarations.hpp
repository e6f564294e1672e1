// What a row of a route table may say after its summary. Each is a constant with a `declare`.
#pragma once

#include <string_view>

#include "api/route.hpp"
#include "core/json/decode.hpp"

namespace buildplan::api {

namespace detail {

template <class T>
inline constexpr Shape shape_of{.type = &json::type_of<T>,
                                .try_decode = [](std::string_view text) { static_cast<void>(json::decode<T>(text)); }};

template <class T>
struct Body {
    std::string_view text;
    consteval Body example(std::string_view json) const { return {json}; }
    consteval void declare(Route& route) const {
        route.body = shape_of<T>;
        route.body_example = text;
    }
};

template <class T>
struct Query {
    consteval void declare(Route& route) const { route.query = shape_of<T>; }
};

struct Returns {
    Answer answer;
    consteval Returns example(std::string_view json) const {
        auto copy = *this;
        copy.answer.example = json;
        return copy;
    }
    consteval Returns about(std::string_view description) const {
        auto copy = *this;
        copy.answer.description = description;
        return copy;
    }
    consteval void declare(Route& route) const {
        if (answer.status < 200 || answer.status > 599) throw "a route returns a final status";
        route.answers.push(answer);
    }
};

struct Flag {
    bool Route::* member;
    consteval void declare(Route& route) const { route.*member = true; }
};

struct Text {
    std::string_view Route::* member;
    std::string_view text;
    consteval void declare(Route& route) const {
        if (text.empty()) throw "an empty declaration";
        route.*member = text;
    }
};

struct Tag {
    std::string_view name;
    std::string_view about;
    consteval void declare(Route& route) const {
        if (name.empty() || about.empty()) throw "a tag has a name and says what it is about";
        route.tag = name;
        route.tag_description = about;
    }
};

struct BodyLimit {
    std::size_t bytes;
    consteval void declare(Route& route) const { route.body_limit = bytes; }
};

struct Fails {
    Failure failure;
    consteval void declare(Route& route) const {
        if (failure.status < 400 || failure.status > 599) throw "a failure has a status from 400 to 599";
        route.failures.push(failure);
    }
};

struct Paged {
    Few<std::string_view, 8> sorts;
    consteval void declare(Route& route) const { route.sorts = sorts; }
};

struct Sends {
    ResponseHeader header;
    consteval void declare(Route& route) const { route.headers.push(header); }
};

struct MatchRequired {
    consteval void declare(Route& route) const {
        route.versioned = true;
        route.match_required = true;
    }
};

}  // namespace detail

// The struct that call.json<T>() reads: `body<NewWorkspace>`, `body<NewWorkspace>.example(R"({"name": "Web shop"})")`.
template <class T>
inline constexpr detail::Body<T> body{};

// The struct that call.query<T>() reads. A parameter that it does not have is refused.
template <class T>
inline constexpr detail::Query<T> query{};

// An answer of JSON. A route may have several; the first is the usual one.
template <class T>
consteval detail::Returns returns(int status = 200) {
    return {{.status = status,
             .media = "application/json",
             .shape = detail::shape_of<T>,
             .description = {},
             .example = {}}};
}
// An answer without content.
consteval detail::Returns returns_nothing(int status = 204) {
    return {{.status = status, .media = {}, .shape = {}, .description = {}, .example = {}}};
}
// An answer in another format.
consteval detail::Returns returns_as(std::string_view media, int status = 200) {
    return {{.status = status, .media = media, .shape = {}, .description = {}, .example = {}}};
}

// A list, by limit and cursor, sorted by one of these names ("-" for descending, the first is the default).
template <class... Names>
consteval detail::Paged paged(Names... sorts) {
    detail::Paged declared;
    (declared.sorts.push(sorts), ...);
    return declared;
}

// The group of the reference pages that the row belongs to; one constant for all rows of a group.
consteval detail::Tag tag(std::string_view name, std::string_view about) { return {name, about}; }
consteval detail::Text describe(std::string_view text) { return {&Route::description, text}; }
consteval detail::Text deprecated(std::string_view since) { return {&Route::deprecated_since, since}; }
consteval detail::Text sunset(std::string_view date) { return {&Route::sunset, date}; }
// The call counts against the limit of that name, too, as long as it succeeds: `counts_as("requests")`. See
// limiter.hpp.
consteval detail::Text counts_as(std::string_view limit) { return {&Route::counted_as, limit}; }
consteval detail::BodyLimit body_limit(std::size_t bytes) { return {bytes}; }
consteval detail::Fails fails(int status, std::string_view code, std::string_view description) {
    return {{status, code, description}};
}
consteval detail::Sends sends(std::string_view header, std::string_view description) { return {{header, description}}; }

inline constexpr detail::Flag heavy{&Route::heavy};
inline constexpr detail::Flag versioned{&Route::versioned};
inline constexpr detail::Flag unlimited{&Route::unlimited};
inline constexpr detail::Flag shows_secret{&Route::secret};
inline constexpr detail::MatchRequired match_required{};

}  // namespace buildplan::api
