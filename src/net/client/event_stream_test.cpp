#include "net/client/event_stream.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace buildplan::net {
namespace {

std::vector<ServerEvent> read(EventStream& stream) {
    std::vector<ServerEvent> events;
    while (auto event = stream.next()) events.push_back(std::move(*event));
    return events;
}

TEST(EventStream, ReadsTheExamplesOfTheStandard) {
    EventStream stream;
    stream.feed(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n");
    EXPECT_EQ(read(stream),
              (std::vector<ServerEvent>{
                  {"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}}));
    stream.feed("data\n\ndata\ndata\n\ndata:");
    EXPECT_EQ(read(stream), (std::vector<ServerEvent>{{"message", "", ""}, {"message", "\n", ""}}));
    stream.feed("data: YHOO\ndata: +2\ndata: 10\n\nevent: add\ndata: 73857293\n\nevent: remove\n\ndata: x\n\n");
    auto const events = read(stream);
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0].data, "data: YHOO\n+2\n10");  // the line that "data:" began is one line
    EXPECT_EQ(events[1], (ServerEvent{"add", "73857293", ""}));
    EXPECT_EQ(events[2], (ServerEvent{"message", "x", ""}));
}

// The same bytes, cut at each place in turn and into single bytes, give the same events.
TEST(EventStream, IsTheSameWhereverItIsCut) {
    using namespace std::string_literals;
    std::string const bytes =
        "\xEF\xBB\xBF"
        "event: a\r\ndata: \xC3\xA4\r\n\r\nretry: 2500\rdata: 1\rdata: 2\rid: 7\r\rid: 8\nevent: b\ndata: {\"x\": "
        "\"y\"}\n\r\n"
        "retry: 1x\nid: a\0b\ndata: end\n\nid: lost\ndata: unfinished"s;
    EventStream whole;
    whole.feed(bytes);
    auto const expected = read(whole);
    ASSERT_EQ(expected.size(), 4u);
    EXPECT_EQ(expected[0], (ServerEvent{"a", "\xC3\xA4", ""}));
    EXPECT_EQ(expected[1], (ServerEvent{"message", "1\n2", "7"}));
    EXPECT_EQ(expected[2], (ServerEvent{"b", "{\"x\": \"y\"}", "8"}));
    EXPECT_EQ(expected[3], (ServerEvent{"message", "end", "8"}));
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        EventStream stream;
        stream.feed(std::string_view(bytes).substr(0, cut));
        stream.feed(std::string_view(bytes).substr(cut));
        EXPECT_EQ(read(stream), expected) << cut;
    }
    EventStream slow;
    for (char const c : bytes) slow.feed({&c, 1});
    EXPECT_EQ(read(slow), expected);
    EXPECT_EQ(slow.retry(), std::chrono::milliseconds{2500});
}

TEST(EventStream, IdAndRetryAreRememberedAndBadOnesIgnored) {
    EventStream stream;
    using namespace std::string_view_literals;
    stream.feed("id: 5\nretry: 10\ndata: a\n\nid: 6\0\nretry: -1\nretry: 99999999999\ndata: b\n\nid: 9\n"sv);
    auto const events = read(stream);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1].id, "5");
    EXPECT_EQ(stream.retry(), std::chrono::milliseconds{10});
    EXPECT_EQ(stream.last_id(), "5");
    stream.feed("\n");
    EXPECT_EQ(stream.last_id(), "9");
}

TEST(EventStream, AnEventWithoutEndIsRefused) {
    EventStream line(100);
    EXPECT_THROW(line.feed(std::string(101, 'x')), std::length_error);
    EventStream lines(100);
    EXPECT_THROW(
        {
            for (int i = 0; i < 100; ++i) lines.feed("data: 1\n");
        },
        std::length_error);
    EventStream fine(100);
    for (int i = 0; i < 1000; ++i) fine.feed("data: 1\n\n");
    EXPECT_EQ(read(fine).size(), 1000u);
}

}  // namespace
}  // namespace buildplan::net
