#include "gen/lexer.hpp"

#include <algorithm>

#include "fmt/core.h"

namespace buildplan::gen {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

class Lexer {
public:
    Lexer(std::string_view text, std::size_t line, Query& query) : text_(text), line_(line), query_(query) {}

    void run() {
        while (at_ < text_.size()) {
            if (text_[at_] == ';') return end();
            step();
        }
        fail("the statement has no ';' at its end");
    }

private:
    [[noreturn]] void fail(std::string const& message) const { throw SourceError(line_, message); }
    [[nodiscard]] bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
    [[nodiscard]] char ahead(std::size_t by) const { return at_ + by < text_.size() ? text_[at_ + by] : '\0'; }

    void step() {
        char const c = text_[at_];
        if (starts("--")) return skip_line_comment();
        if (starts("/*")) return skip_block_comment();
        if (c == '\'') return copy_quoted('\'', false);
        if (c == '"') return copy_quoted('"', false);
        if ((c == 'e' || c == 'E') && ahead(1) == '\'') {
            put();
            return copy_quoted('\'', true);
        }
        if (c == '$') return dollar();
        if (is_letter(c)) return word();
        if (is_digit(c)) return number();
        if (c == '\n') return newline();
        if (!is_space(c)) previous_.clear();
        put();
    }

    // Copies one byte.
    void put() {
        query_.sql += text_[at_];
        query_.lines.push_back(line_);
        if (text_[at_++] == '\n') ++line_;
    }
    void put_text(std::string_view text) {
        query_.sql += text;
        query_.lines.insert(query_.lines.end(), text.size(), line_);
    }
    void skip() {
        if (text_[at_++] == '\n') ++line_;
    }

    void trim_end() {
        while (!query_.sql.empty() &&
               (query_.sql.back() == ' ' || query_.sql.back() == '\t' || query_.sql.back() == '\r')) {
            query_.sql.pop_back();
            query_.lines.pop_back();
        }
    }
    void newline() {
        trim_end();
        if (query_.sql.empty() || query_.sql.back() == '\n') return skip();  // a blank line
        put();
    }
    void skip_line_comment() {
        while (at_ < text_.size() && text_[at_] != '\n') skip();
    }
    void skip_block_comment() {
        for (int depth = 0; at_ < text_.size();) {
            if (starts("/*")) {
                ++depth;
                skip();
            } else if (starts("*/")) {
                --depth;
                skip();
            }
            skip();
            if (depth == 0) return put_text(" ");
        }
        fail("a comment has no end");
    }
    void copy_quoted(char quote, bool backslashes) {
        auto const begin = line_;
        previous_.clear();
        put();
        while (at_ < text_.size()) {
            if (backslashes && text_[at_] == '\\' && at_ + 1 < text_.size()) {
                put();
            } else if (text_[at_] == quote) {
                put();
                if (at_ >= text_.size() || text_[at_] != quote) return;  // doubled: goes on
            }
            put();
        }
        throw SourceError(begin, fmt::format("a {} has no end", quote));
    }
    void word() {
        auto const begin = at_;
        while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '$')) put();
        auto const word = upper(text_.substr(begin, at_ - begin));
        bool const outer = previous_ == "LEFT" || previous_ == "RIGHT" || previous_ == "FULL" || previous_ == "OUTER";
        if ((word == "JOIN" && outer) || (word == "SETS" && previous_ == "GROUPING") || word == "ROLLUP" ||
            word == "CUBE") {
            query_.outer_join = true;
        }
        previous_ = word;
    }
    void number() {
        previous_.clear();
        while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) put();
    }
    void dollar() {
        previous_.clear();
        std::size_t size = 1;
        while (at_ + size < text_.size() && (is_letter(text_[at_ + size]) || is_digit(text_[at_ + size]))) ++size;
        if (ahead(size) == '$') return copy_dollar_quoted(text_.substr(at_, size + 1));
        parameter(text_.substr(at_ + 1, size - 1));
    }
    void copy_dollar_quoted(std::string_view tag) {
        auto const begin = line_;
        auto const end = text_.find(tag, at_ + tag.size());
        if (end == std::string_view::npos) throw SourceError(begin, fmt::format("{} has no end", tag));
        while (at_ < end + tag.size()) put();
    }
    void parameter(std::string_view name) {
        if (name.empty()) fail("a '$' without a name");
        if (is_digit(name[0])) fail(fmt::format("${} is a number: give the parameter a name", name));
        if (std::ranges::any_of(name, [](char c) { return !(c >= 'a' && c <= 'z') && !is_digit(c) && c != '_'; })) {
            fail(fmt::format("${}: a parameter is named in snake_case", name));
        }
        at_ += 1 + name.size();
        auto found = std::ranges::find(query_.parameters, name, &NamedParameter::name);
        if (found == query_.parameters.end()) {
            query_.parameters.push_back({std::string(name)});
            found = query_.parameters.end() - 1;
        }
        if (at_ < text_.size() && text_[at_] == '?') {
            found->nullable = true;
            ++at_;
        }
        put_text(fmt::format("${}", found - query_.parameters.begin() + 1));
    }

    void end() {
        while (!query_.sql.empty() && is_space(query_.sql.back())) {
            query_.sql.pop_back();
            query_.lines.pop_back();
        }
        if (query_.sql.empty()) fail("there is no statement before the ';'");
        for (++at_; at_ < text_.size();) {
            if (starts("--")) {
                skip_line_comment();
            } else if (is_space(text_[at_])) {
                skip();
            } else {
                fail("a second statement under one name");
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_;
    Query& query_;
    std::string previous_;  // the word before, in upper case
};

}  // namespace

void read_statement(std::string_view text, std::size_t first_line, Query& query) {
    Lexer(text, first_line, query).run();
}

}  // namespace buildplan::gen
