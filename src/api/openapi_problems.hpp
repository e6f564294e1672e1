// Which problems a route can answer with, as its row implies and says, and how the OpenAPI document has them.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "api/problem_response.hpp"
#include "api/route.hpp"

namespace buildplan::api {

// The body of a problem, for its schema.
struct ProblemField {
    std::string pointer;
    std::string code;
    std::string detail;
};
struct ProblemDocument {
    std::string type;
    std::string title;
    std::int32_t status = 0;
    std::string detail;
    std::string instance;
    std::string code;
    std::string request_id;
    std::optional<std::vector<ProblemField>> errors;
};
BOOST_DESCRIBE_STRUCT(ProblemField, (), (pointer, code, detail))
constexpr auto json_rules(ProblemField const*) {
    return json::fields(
        json::field("pointer").about("A JSON pointer into the body, or ?name for a parameter of the query."),
        json::field("code").about("Stable, for programs."), json::field("detail").about("For people."));
}
BOOST_DESCRIBE_STRUCT(ProblemDocument, (), (type, title, status, detail, instance, code, request_id, errors))
constexpr auto json_rules(ProblemDocument const*) {
    return json::fields(json::field("type").about("Where this kind of problem is explained."),
                        json::field("title").about("The phrase of the status."),
                        json::field("detail").about("What went wrong this time, for people."),
                        json::field("instance").about("The path that was called."),
                        json::field("code").about("The kind of problem: stable, in kebab-case, for programs."),
                        json::field("request_id").about("Say it when you ask for help."),
                        json::field("errors").about("Each field that does not fit."))
        .named("Problem")
        .about("Whatever goes wrong is answered with one of these (RFC 9457).");
}

// The problems of one route by status: those of the pipeline and its own.
std::map<int, std::vector<ProblemKind>> problems_of(Route const& route);

// The `responses` of a route's problems. Those that are the same for many routes go to `shared`, which becomes
// components/responses, and are pointed at.
boost::json::object problem_responses(Route const& route, boost::json::object& shared);

}  // namespace buildplan::api
