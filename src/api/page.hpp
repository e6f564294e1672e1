// Page: one stretch of a list. A handler asks its statement for one row more than the limit, and `page_of` makes of the
// rows the items and, when there was one more, the cursor.
#pragma once

#include <boost/describe/class.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "api/call.hpp"
#include "core/json/rules.hpp"

namespace buildplan::api {

template <class T>
struct Page {
    std::vector<T> items;
    std::optional<std::string> next_cursor;

    BOOST_DESCRIBE_CLASS(Page, (), (items, next_cursor), (), ())
    friend constexpr auto json_rules(Page const*) {
        return json::fields(json::field("items").items(0, 100),
                            json::field("next_cursor")
                                .write_null()
                                .about("Give it back as `cursor` for what follows; null at the end."));
    }
};

// How many rows to ask for.
inline std::int64_t rows_for(Call const& call) { return call.limit() + 1; }

// `to_item` makes an item of a row; `keyset` gives, as a tuple, the values that the list is sorted by, the last of them
// unique, in the order in which the handler asks for them with call.after<…>().
template <class Row, class ToItem, class Keyset>
auto page_of(Call const& call, std::vector<Row> rows, ToItem to_item, Keyset keyset) {
    Page<std::decay_t<std::invoke_result_t<ToItem&, Row&&>>> page;
    auto const limit = static_cast<std::size_t>(call.limit());
    if (rows.size() > limit) {
        rows.resize(limit);
        auto const bytes =
            std::apply([](auto const&... values) { return KeysetWriter::encode(values...); }, keyset(rows.back()));
        page.next_cursor = call.cursor(bytes);
    }
    page.items.reserve(rows.size());
    for (auto& row : rows) page.items.push_back(to_item(std::move(row)));
    return page;
}

}  // namespace buildplan::api
