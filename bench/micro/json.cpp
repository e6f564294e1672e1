// The codec on what the API does most: writing a page of 20 rows, reading the body of a create.
#include <benchmark/benchmark.h>

#include "core/json/json.hpp"

namespace buildplan {
namespace bench_json {

enum class State { draft, in_review };
BOOST_DESCRIBE_ENUM(State, draft, in_review)

struct Row {
    Uuid id;
    OrganizationId organization_id;
    std::string key;
    std::string title;
    std::optional<std::string> description;
    State state = State::draft;
    std::int32_t priority = 0;
    std::optional<UserId> assignee_id;
    Timestamp created_at;
    Timestamp updated_at;
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (id, organization_id, key, title, description, state, priority, assignee_id, created_at,
                       updated_at))

struct Page {
    std::vector<Row> items;
    std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(Page, (), (items, next_cursor))

struct NewRow {
    std::string title;
    std::optional<std::string> description;
    std::int32_t priority = 0;
    std::optional<UserId> assignee_id;
};
BOOST_DESCRIBE_STRUCT(NewRow, (), (title, description, priority, assignee_id))

Page page_of_twenty() {
    Page page;
    for (int i = 0; i < 20; ++i) {
        Row row;
        row.id = Uuid::v7();
        row.organization_id = OrganizationId::make();
        row.key = "ACME-" + std::to_string(i);
        row.title = "A title of a usual length, of say fifty characters";
        row.description = "A description that goes on for a while, with \"quotes\" and such,\nover two lines of text.";
        row.assignee_id = UserId::make();
        row.created_at = row.updated_at = now();
        page.items.push_back(std::move(row));
    }
    return page;
}

void json_encode_page(benchmark::State& state) {
    auto const page = page_of_twenty();
    std::size_t bytes = 0;
    for (auto _ : state) {
        auto const text = json::encode(page);
        bytes += text.size();
        benchmark::DoNotOptimize(text.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(json_encode_page);

void json_decode_body(benchmark::State& state) {
    constexpr std::string_view body =
        R"({"title":"A title of a usual length, of say fifty characters","description":"Some text",)"
        R"("priority":2,"assigneeId":"0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b"})";
    for (auto _ : state) {
        auto const row = json::decode<NewRow>(body);
        benchmark::DoNotOptimize(row.title.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(json_decode_body);

}  // namespace bench_json
}  // namespace buildplan
