#include "api/docs/reference_page.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "api/docs/markup.hpp"
#include "api/docs/schema_view.hpp"
#include "api/openapi.hpp"
#include "api/openapi_problems.hpp"
#include "core/problem.hpp"
#include "fmt/core.h"

namespace buildplan::api::docs {
namespace {

namespace dom = boost::json;

std::string text_at(dom::object const& object, std::string_view name) {
    auto const* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}

std::string page(std::string_view title, std::string_view navigation, std::string_view content) {
    return fmt::format(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{}</title>"
        "<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/docs/style.css\"></head><body>"
        "<a class=\"skip\" href=\"#content\">Skip to the content</a><div class=\"layout\">"
        "<nav id=\"contents\" aria-label=\"Contents\">{}</nav><main id=\"content\">"
        "<p class=\"to-contents\"><a href=\"#contents\">Contents</a></p>{}</main></div></body></html>\n",
        escape(title), navigation, content);
}

class ReferencePage {
public:
    explicit ReferencePage(dom::object const& openapi)
        : openapi_(openapi),
          components_(openapi.at("components").as_object()),
          schemas_(components_.at("schemas").as_object()) {}

    std::string render() {
        auto const& info = openapi_.at("info").as_object();
        std::string content = fmt::format("<h1>{} API <small>{}</small></h1>{}", escape(text_at(info, "title")),
                                          escape(text_at(info, "version")), rich(text_at(info, "description")));
        content +=
            "<p>The same as <a href=\"/openapi.json\">OpenAPI 3.1</a>. What can go wrong: "
            "<a href=\"/docs/problems\">problems</a>.</p>"
            "<p>In the examples <code>$BUILDPLAN</code> is the address of the installation and <code>$TOKEN</code> an "
            "API key, or the <code>token</code> that <a href=\"#loginperson\">signing in</a> answers.</p>";
        std::string navigation =
            "<p><strong>BuildPlan API</strong></p><ul><li><a href=\"/docs/problems\">Problems</a></li>"
            "<li><a href=\"#schemas\">Schemas</a></li></ul>";
        for (auto const& each : openapi_.at("tags").as_array()) {
            auto const& tag = each.as_object();
            auto const name = text_at(tag, "name");
            content += fmt::format("<section><h2 id=\"{}\">{}</h2>{}", anchor(name), escape(name),
                                   rich(text_at(tag, "description")));
            navigation += fmt::format("<strong><a href=\"#{}\">{}</a></strong><ul>", anchor(name), escape(name));
            add_operations(name, content, navigation);
            content += "</section>";
            navigation += "</ul>";
        }
        content += "<h2 id=\"schemas\">Schemas</h2>" + all_schemas();
        return page(text_at(info, "title") + " API", navigation, content);
    }

private:
    // What a reference points at, or the value itself.
    dom::object const& resolved(dom::value const& value) const {
        auto const target = text_at(value.as_object(), "$ref");
        if (target.empty()) return value.as_object();
        std::string_view rest{target};
        rest.remove_prefix(std::string_view{"#/components/"}.size());
        auto const slash = rest.find('/');
        return components_.at(rest.substr(0, slash)).at(rest.substr(slash + 1)).as_object();
    }

    void add_operations(std::string const& tag, std::string& content, std::string& navigation) {
        for (auto const& [path, item] : openapi_.at("paths").as_object()) {
            for (auto const& [method, value] : item.as_object()) {
                auto const& operation = value.as_object();
                if (operation.at("tags").as_array().front().as_string() != tag) continue;
                content += render_operation(std::string(path), std::string(method), operation);
                navigation += fmt::format("<li><a href=\"#{}\">{}</a></li>", anchor(text_at(operation, "operationId")),
                                          escape(text_at(operation, "summary")));
            }
        }
    }

    std::string render_operation(std::string const& path, std::string const& method, dom::object const& operation) {
        auto out = fmt::format(
            "<article id=\"{}\"><h3>{}</h3><p><span class=\"method {}\">{}</span> <span class=\"path\">{}</span></p>{}",
            anchor(text_at(operation, "operationId")), escape(text_at(operation, "summary")), method, upper(method),
            escape(path), rich(text_at(operation, "description")));
        if (auto const* parameters = operation.if_contains("parameters"))
            out += parameter_table(parameters->as_array());
        std::string body;
        if (auto const* request = operation.if_contains("requestBody")) {
            auto const& [media, content] = *request->at("content").as_object().begin();
            out += fmt::format("<h4>Body</h4><p>{} as <code>{}</code></p>",
                               type_of_schema(content.at("schema").as_object()), escape(std::string(media)));
            body = pretty(example(content.as_object()));
        }
        out += "<h4>Call it</h4><pre tabindex=\"0\"><code>" + escape(curl(path, method, operation, body)) +
               "</code></pre>";
        return out + answers(operation) + "</article>";
    }

    std::string parameter_table(dom::array const& parameters) const {
        std::string out =
            "<h4>Parameters</h4><div class=\"wide\"><table><thead><tr><th>Name</th><th>In</th><th>Type</th>"
            "<th>Meaning</th></tr></thead><tbody>";
        for (auto const& each : parameters) {
            auto const& parameter = resolved(each);
            out += fmt::format("<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                               escape(text_at(parameter, "name")),
                               parameter.contains("required") ? "" : " <small>optional</small>",
                               text_at(parameter, "in"), type_of_schema(parameter.at("schema").as_object()),
                               rich(text_at(parameter, "description")));
        }
        return out + "</tbody></table></div>";
    }

    std::string answers(dom::object const& operation) const {
        std::string good, bad;
        for (auto const& [status, value] : operation.at("responses").as_object()) {
            auto const& response = resolved(value);
            auto const number = std::string(status);
            if (number.front() >= '4' && !is_own(response)) {
                bad += fmt::format("<dt>{} {}</dt><dd>{}</dd>", number, status_phrase(std::stoi(number)),
                                   problem_links(response));
                continue;
            }
            good += fmt::format("<h4>{} {}</h4>", number, escape(status_phrase(std::stoi(number))));
            auto const* content = response.if_contains("content");
            if (!content) {
                good += rich(text_at(response, "description"));
                continue;
            }
            auto const& [media, body] = *content->as_object().begin();
            good += fmt::format("<p>{} as <code>{}</code></p>", type_of_schema(body.at("schema").as_object()),
                                escape(std::string(media)));
            if (media != "application/json") continue;
            good += "<details><summary>Example</summary><pre tabindex=\"0\"><code>" +
                    escape(pretty(example(body.as_object()))) + "</code></pre></details>";
        }
        return good + "<details><summary>Problems</summary><dl>" + bad + "</dl></details>";
    }

    // An answer of the operation's own, though its status is one of an error.
    static bool is_own(dom::object const& response) {
        auto const* content = response.if_contains("content");
        return content && !content->as_object().contains("application/problem+json");
    }

    // "- `code`: meaning" with each code linked to its explanation.
    static std::string problem_links(dom::object const& response) {
        std::string out = "<ul>";
        auto const description = text_at(response, "description");
        for (std::string_view rest = description; !rest.empty();) {
            auto const end = rest.find('\n');
            auto const line = rest.substr(0, end);
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
            auto const from = line.find('`');
            auto const to = line.find('`', from + 1);
            if (to == std::string_view::npos) continue;
            auto const code = line.substr(from + 1, to - from - 1);
            out += fmt::format("<li><a href=\"/docs/problems#{}\"><code>{}</code></a>{}</li>", anchor(code),
                               escape(code), escape(line.substr(to + 1)));
        }
        return out + "</ul>";
    }

    dom::value example(dom::object const& content) const {
        if (auto const* given = content.if_contains("example")) return *given;
        return example_of_schema(content.at("schema").as_object(), schemas_);
    }

    static std::string curl(std::string const& path, std::string const& method, dom::object const& operation,
                            std::string body) {
        std::string out = "curl";
        if (method != "get") out += " -X " + upper(method);
        auto url = path;
        for (auto open = url.find('{'); open != std::string::npos; open = url.find('{')) {
            auto const close = url.find('}', open);
            url.replace(open, close - open + 1, "$" + url.substr(open + 1, close - open - 1));
        }
        out += " \"$BUILDPLAN" + url + "\"";
        if (!operation.at("security").as_array().empty()) out += " \\\n  -H \"Authorization: Bearer $TOKEN\"";
        if (!body.empty()) {
            auto const media = operation.at("requestBody").at("content").as_object().begin()->key();
            out += " \\\n  -H \"Content-Type: " + std::string(media) + "\"";
            while (body.ends_with('\n')) body.pop_back();
            std::string quoted;
            for (char const c : body) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
            out += " \\\n  -d '" + quoted + "'";
        }
        return out;
    }

    static std::string upper(std::string_view text) {
        std::string out;
        for (char const c : text) out += static_cast<char>(c - 'a' + 'A');
        return out;
    }

    std::string all_schemas() const {
        std::string out;
        for (auto const& [name, value] : schemas_) {
            auto const& schema = value.as_object();
            out += fmt::format("<article id=\"schema-{}\"><h3>{}</h3>{}", anchor(std::string(name)),
                               escape(std::string(name)), rich(text_at(schema, "description")));
            auto const fields = fields_table(schema);
            out += (fields.empty() ? "<p>" + type_of_schema(schema) + "</p>" : fields) + "</article>";
        }
        return out;
    }

    dom::object const& openapi_;
    dom::object const& components_;
    dom::object const& schemas_;
};

}  // namespace

std::string reference_page(dom::object const& openapi) { return ReferencePage(openapi).render(); }

std::string problems_page(RouteTables tables) {
    // By code; one code may come with several statuses.
    std::map<std::string, std::map<int, std::string>> all;
    for (auto const& kind : common_problems()) all[std::string(kind.code)].emplace(kind.status, kind.meaning);
    for (auto const& table : tables) {
        for (auto const& route : table) {
            for (auto const& failure : route.failures) {
                all[std::string(failure.code)].emplace(failure.status, failure.description);
            }
        }
    }
    std::string content =
        "<h1>Problems</h1><p>Whatever goes wrong is answered as <code>application/problem+json</code> (RFC 9457). "
        "<code>code</code> says what kind of problem it is and never changes its meaning; <code>detail</code> is for "
        "people; <code>requestId</code> is what to say when you ask for help.</p>";
    std::string navigation = "<p><strong><a href=\"/docs\">BuildPlan API</a></strong></p><ul>";
    for (auto const& [code, statuses] : all) {
        content += fmt::format("<article id=\"{}\"><h2><code>{}</code></h2>", anchor(code), escape(code));
        for (auto const& [status, meaning] : statuses) {
            content += fmt::format("<p><strong>{} {}</strong> {}</p>", status, escape(status_phrase(status)),
                                   with_code(meaning));
        }
        content += "</article>";
        navigation += fmt::format("<li><a href=\"#{}\">{}</a></li>", anchor(code), escape(code));
    }
    return page("BuildPlan API: problems", navigation + "</ul>", content);
}

}  // namespace buildplan::api::docs
