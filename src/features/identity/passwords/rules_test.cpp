#include "features/identity/passwords/rules.hpp"

#include <gtest/gtest.h>

#include "embedded/passwords.hpp"

namespace buildplan::identity {
namespace {

std::string code_of(std::string_view password) {
    auto const refused = refuse_password(password, "ada.lovelace@example.com", "Ada King Lovelace", "/password");
    if (!refused) return "";
    EXPECT_EQ(refused->pointer, "/password");
    EXPECT_FALSE(refused->detail.empty());
    return refused->code;
}

TEST(PasswordRules, TakeGoodOnes) {
    for (auto const* good : {"a long and quiet afternoon", "xK9$wq!2", "Tr0ub4dor&3x", "héhéhé ça marche", "12345679x",
                             "correct horse battery staple", "ad4l0v3lac3 is fine"}) {
        EXPECT_EQ(code_of(good), "") << good;
    }
}

TEST(PasswordRules, RefuseWhatManyPeopleHave) {
    for (auto const* bad : {"password", "PassWord", "password1", "qwertyuiop", "iloveyou", "trustno1", "1q2w3e4r",
                            "p@ssw0rd", "baseball", "starwars"}) {
        EXPECT_EQ(code_of(bad), "common") << bad;
        EXPECT_TRUE(is_common_password(bad)) << bad;
    }
    EXPECT_FALSE(is_common_password("correct horse battery staple"));
    EXPECT_FALSE(is_common_password(""));
}

TEST(PasswordRules, FindEveryLineOfTheListAndNothingBetween) {
    auto text = embedded::passwords().front().text;
    std::size_t lines = 0;
    while (!text.empty()) {
        auto const end = text.find('\n');
        auto const line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        ASSERT_GE(line.size(), shortest_password);
        ASSERT_TRUE(is_common_password(line)) << line;
        ASSERT_FALSE(is_common_password(std::string(line) + "\n"));
        ASSERT_FALSE(is_common_password(std::string(line) + "~~"));
        ++lines;
    }
    EXPECT_GT(lines, 10'000u);
}

TEST(PasswordRules, RefuseRunsAndRepetitions) {
    for (auto const* bad : {"aaaaaaaa", "abcdefgh", "87654321", "3456789:", "abababab", "xyzxyzxyz", "zzzzzzzzzzzzzz"})
        EXPECT_EQ(code_of(bad), "guessable") << bad;
}

TEST(PasswordRules, RefuseTheNameAndTheAddress) {
    for (auto const* bad :
         {"ada.lovelace1815", "xxada.lovelace@example.comxx", "Lovelace1815!", "LOVELACE and me", "my dear king!"}) {
        EXPECT_EQ(code_of(bad), "guessable") << bad;
    }
    // Three letters are in too many words.
    EXPECT_EQ(code_of("a canadian winter"), "");
}

}  // namespace
}  // namespace buildplan::identity
