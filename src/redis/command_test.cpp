#include "redis/command.hpp"

#include <gtest/gtest.h>

#include "redis/options.hpp"
#include "redis/script.hpp"
#include "redis/slots.hpp"

namespace buildplan::redis {
namespace {

using namespace std::string_view_literals;

std::string encoded(Command const& command, bool with_source = false) {
    std::string out;
    command.encode(out, with_source);
    return out;
}

TEST(Command, IsEncodedAsAnArrayOfBulkStrings) {
    EXPECT_EQ(encoded(Command("SET", "k", std::string_view("a\r\n\0", 4), "PX", 300, 1.5)),
              "*6\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\n\0\r\n$2\r\nPX\r\n$3\r\n300\r\n$3\r\n1.5\r\n"sv);
}

TEST(Command, KnowsItsKey) {
    EXPECT_EQ(Command("GET", "a").key(), "a");
    EXPECT_EQ(Command("bzpopmin", "a", "b", 1).key(), "a");
    EXPECT_EQ(Command("EVAL", "return 1", 1, "a", "b").key(), "a");
    EXPECT_EQ(Command("XREAD", "COUNT", 1, "STREAMS", "s", "t", "0", "0").key(), "s");
    EXPECT_EQ(Command("XREADGROUP", "GROUP", "g", "c", "streams", "s", ">").key(), "s");
    EXPECT_EQ(Command("XINFO", "STREAM", "s").key(), "s");
    EXPECT_FALSE(Command("PING", "x").has_key());
    EXPECT_FALSE(Command("publish", "c", "m").has_key());
    EXPECT_TRUE(Command("GET", "").has_key());
}

TEST(Script, IsCalledByItsHash) {
    Script const script("return 1");
    EXPECT_EQ(script.sha1(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");  // SCRIPT LOAD "return 1"
    auto const call = script.call({"k1", "k2"}, "x", 5);
    EXPECT_EQ(call.key(), "k1");
    EXPECT_EQ(encoded(call),
              "*7\r\n$7\r\nEVALSHA\r\n$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n"
              "$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n$1\r\nx\r\n$1\r\n5\r\n");
    EXPECT_TRUE(encoded(call, true).starts_with("*7\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n2\r\n"));
    EXPECT_FALSE(script.call({}, "x").has_key());
}

TEST(Slots, AreThoseOfTheSpecification) {
    EXPECT_EQ(crc16("123456789"), 0x31C3);
    EXPECT_EQ(slot_of("foo"), 12182);
    EXPECT_EQ(hash_tag("{user1000}.following"), "user1000");
    EXPECT_EQ(hash_tag("foo{}{bar}"), "foo{}{bar}");
    EXPECT_EQ(hash_tag("foo{{bar}}zap"), "{bar");
    EXPECT_EQ(hash_tag("foo{bar}{zap}"), "bar");
    EXPECT_EQ(hash_tag("foo{bar"), "foo{bar");
}

TEST(Slots, RedirectionsAreRead) {
    Endpoint const here{.host = "10.0.0.9", .port = 1, .path = {}};
    auto const moved = read_redirection("MOVED 3999 127.0.0.1:6381", here);
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->slot, 3999);
    EXPECT_EQ(moved->to.to_string(), "127.0.0.1:6381");
    EXPECT_EQ(read_redirection("ASK 1 ::1:6381", here)->to.to_string(), "[::1]:6381");
    EXPECT_EQ(read_redirection("ASK 1 :6381", here)->to.to_string(), "10.0.0.9:6381");
    for (auto const* bad : {"MOVED", "MOVED 1", "MOVED x 1:1", "MOVED 16384 1:1", "MOVED 1 1:x", "MOVED 1 1:65536"}) {
        EXPECT_FALSE(read_redirection(bad, here)) << bad;
    }
}

TEST(Options, AreReadFromAUrl) {
    auto const socket = Options::parse("unix:/run/r.sock?db=3");
    EXPECT_EQ(socket.endpoints[0].path, "/run/r.sock");
    EXPECT_EQ(socket.database, 3);
    auto const tcp = Options::parse("redis://us%40er:p%3Aw@cache.example:7000/2");
    EXPECT_EQ(tcp.endpoints[0].to_string(), "cache.example:7000");
    EXPECT_EQ(tcp.user, "us@er");
    EXPECT_EQ(tcp.password, "p:w");
    EXPECT_EQ(tcp.database, 2);
    EXPECT_EQ(Options::parse("redis://[::1]").endpoints[0].to_string(), "[::1]:6379");
    auto const cluster = Options::parse("redis-cluster://:pw@a:1,b:2,c");
    EXPECT_TRUE(cluster.cluster);
    ASSERT_EQ(cluster.endpoints.size(), 3u);
    EXPECT_EQ(cluster.endpoints[2].to_string(), "c:6379");
}

TEST(Options, RefusesBrokenUrlsWithoutTellingThePassword) {
    for (auto const* url :
         {"", "http://x", "redis://", "redis://h:99999", "redis://h/x", "unix:relative", "redis://[::1",
          "redis://secret@h", "redis://u:secret%zz@h", "unix:/a?x=1", "redis-cluster://a/1"}) {
        try {
            Options::parse(url);
            ADD_FAILURE() << url;
        } catch (std::invalid_argument const& e) {
            EXPECT_EQ(std::string_view(e.what()).find("secret"), std::string_view::npos);
        }
    }
}

}  // namespace
}  // namespace buildplan::redis
