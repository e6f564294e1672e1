#include "api/cursor.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"

namespace buildplan::api {
namespace {

using SomeId = Id<struct SomeTag>;

TEST(Cursors, GiveBackWhatWasPutIn) {
    Cursors const cursors("secret");
    auto const id = SomeId::make();
    auto const time = Timestamp{std::chrono::microseconds{1'795'541'123'123'456}};
    auto const text =
        cursors.seal("scope", KeysetWriter::encode(time, std::string_view{"Größe"}, std::int64_t{-5}, true, id));
    auto const keyset = cursors.open("scope", text);
    ASSERT_TRUE(keyset);
    auto const values = KeysetReader::decode<Timestamp, std::string, std::int64_t, bool, SomeId>(*keyset);
    ASSERT_TRUE(values);
    EXPECT_EQ(*values, std::tuple(time, std::string("Größe"), std::int64_t{-5}, true, id));
}

TEST(Cursors, AreBoundToScopeAndSecret) {
    Cursors const cursors("secret");
    auto const text = cursors.seal("scope", KeysetWriter::encode(std::int64_t{7}));
    EXPECT_FALSE(cursors.open("another", text));
    EXPECT_FALSE(cursors.open("", text));
    EXPECT_FALSE(Cursors("other").open("scope", text));
    EXPECT_TRUE(cursors.open("scope", text));
}

TEST(Cursors, DoNotConfuseScopeAndKeyset) {
    Cursors const cursors("secret");
    auto const text = cursors.seal("ab", "cd");
    auto const mac = from_base64url(text)->substr(0, 16);
    EXPECT_FALSE(cursors.open("abc", base64url(mac + "d")));
}

TEST(Cursors, AreRefusedWhenAnyByteIsChanged) {
    Cursors const cursors("secret");
    auto const bytes = *from_base64url(cursors.seal("scope", KeysetWriter::encode(std::int64_t{7}, SomeId::make())));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(cursors.open("scope", base64url(changed))) << i;
    }
    EXPECT_FALSE(cursors.open("scope", base64url(bytes.substr(0, bytes.size() - 1))));
    EXPECT_FALSE(cursors.open("scope", ""));
    EXPECT_FALSE(cursors.open("scope", "not base64url!"));
    EXPECT_FALSE(cursors.open("scope", std::string(max_cursor_length + 1, 'A')));
}

TEST(Keysets, AreReadByTheirTypes) {
    auto const bytes = KeysetWriter::encode(std::int64_t{1}, true);
    EXPECT_TRUE((KeysetReader::decode<std::int64_t, bool>(bytes)));
    EXPECT_FALSE((KeysetReader::decode<bool, std::int64_t>(bytes)));
    EXPECT_FALSE((KeysetReader::decode<std::int64_t>(bytes)));
    EXPECT_FALSE((KeysetReader::decode<std::int64_t, bool, bool>(bytes)));
    EXPECT_FALSE((KeysetReader::decode<Timestamp, bool>(bytes)));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE((KeysetReader::decode<std::int64_t, bool>(std::string_view(bytes).substr(0, size)))) << size;
    }
}

TEST(Keysets, HoldTextThatPostgresTakes) {
    EXPECT_FALSE(KeysetReader::decode<std::string>(KeysetWriter::encode(std::string_view{"a\0b", 3})));
    EXPECT_FALSE(KeysetReader::decode<std::string>(KeysetWriter::encode(std::string_view{"\xff"})));
    EXPECT_THROW(KeysetWriter::encode(std::string(1'001, 'x')), std::logic_error);
}

}  // namespace
}  // namespace buildplan::api
