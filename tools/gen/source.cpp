#include "gen/source.hpp"

#include <algorithm>
#include <span>

#include "core/text.hpp"
#include "fmt/core.h"
#include "gen/lexer.hpp"

namespace buildplan::gen {
namespace {

constexpr std::string_view name_mark = "-- name:";
constexpr std::string_view type_mark = "-- type:";

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!(text = trim(text)).empty()) {
        auto const end = std::min(text.find_first_of(" \t"), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return words;
}

bool is_snake_case(std::string_view text) {
    return !text.empty() && text[0] >= 'a' && text[0] <= 'z' && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool is_pascal_case(std::string_view text) {
    return !text.empty() && text[0] >= 'A' && text[0] <= 'Z' && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

TypeRule parse_type(std::string_view line, std::size_t number) {
    auto const words = words_of(line.substr(type_mark.size()));
    bool const with_header =
        words.size() == 3 && words[2].size() > 2 && words[2].front() == '"' && words[2].back() == '"';
    if (words.size() != 2 && !with_header) {
        throw SourceError(number,
                          R"(write '-- type: table.column Type "its/header.hpp"', or $parameter for the column)");
    }
    TypeRule rule{.pattern = std::string(words[0]), .type = std::string(words[1]), .header = "", .line = number};
    if (with_header) rule.header = words[2].substr(1, words[2].size() - 2);
    return rule;
}

Query parse_name(std::string_view line, std::size_t number) {
    auto const words = words_of(line.substr(name_mark.size()));
    Query query;
    query.line = number;
    if (words.size() < 2 || !is_snake_case(words[0])) {
        throw SourceError(number, "write '-- name: in_snake_case :many' (or :one, :run)");
    }
    query.name = words[0];
    if (words[1] == ":run") {
        query.answer = Answer::run;
    } else if (words[1] == ":one") {
        query.answer = Answer::one;
    } else if (words[1] == ":many") {
        query.answer = Answer::many;
    } else {
        throw SourceError(number, fmt::format("{} is none of :one, :many and :run", words[1]));
    }
    for (auto word : std::span{words}.subspan(2)) {
        if (word == "system") {
            query.system = true;
        } else if (word[0] == '!') {
            query.never_null.emplace_back(word.substr(1));
        } else if (word[0] == '?') {
            query.nullable.emplace_back(word.substr(1));
        } else if (is_pascal_case(word) && query.row.empty()) {
            query.row = word;
        } else {
            throw SourceError(number,
                              fmt::format("'{}' is neither !column, ?column, 'system' nor the name of a row", word));
        }
    }
    return query;
}

// Lines that were not given away yet.
struct Lines {
    std::string_view rest;
    std::size_t number = 1;

    [[nodiscard]] std::string_view peek() const { return rest.substr(0, rest.find('\n')); }
    void pop() {
        rest.remove_prefix(std::min(peek().size() + 1, rest.size()));
        ++number;
    }
};

// Everything up to the next name.
std::string_view pop_body(Lines& lines) {
    auto const begin = lines.rest;
    while (!lines.rest.empty() && !lines.peek().starts_with(name_mark)) {
        if (lines.peek().starts_with(type_mark))
            throw SourceError(lines.number, "'-- type:' belongs before the first '-- name:'");
        lines.pop();
    }
    return begin.substr(0, begin.size() - lines.rest.size());
}

}  // namespace

Source parse(std::string_view text) {
    Source source;
    Lines lines{text};
    while (!lines.rest.empty()) {
        auto const line = trim(lines.peek());
        auto const number = lines.number;
        if (line.starts_with(name_mark)) {
            auto query = parse_name(line, number);
            if (std::ranges::find(source.queries, query.name, &Query::name) != source.queries.end()) {
                throw SourceError(number, fmt::format("there is a {} already", query.name));
            }
            for (lines.pop(); lines.peek().starts_with("--") && !lines.peek().starts_with(name_mark) &&
                              !lines.peek().starts_with(type_mark);
                 lines.pop()) {
                query.comment.emplace_back(trim(lines.peek().substr(2)));
            }
            auto const first_line = lines.number;
            read_statement(pop_body(lines), first_line, query);
            source.queries.push_back(std::move(query));
            continue;
        }
        if (line.starts_with(type_mark)) {
            source.types.push_back(parse_type(line, number));
        } else if (!line.empty() && !line.starts_with("--")) {
            throw SourceError(number, "a statement without a '-- name:' line before it");
        }
        lines.pop();
    }
    return source;
}

}  // namespace buildplan::gen
