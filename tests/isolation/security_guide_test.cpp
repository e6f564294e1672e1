// docs/guides/security.md promises; each promise names the tests that show it, and they must be there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace buildplan::isolation {
namespace {

namespace fs = std::filesystem;

std::string text_of(fs::path const& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::set<std::string> all_matches(std::string const& text, std::regex const& pattern) {
    std::set<std::string> found;
    for (std::sregex_iterator each(text.begin(), text.end(), pattern), end; each != end; ++each) {
        found.insert((*each)[1].str() + ((*each).size() > 2 ? '.' + (*each)[2].str() : ""));
    }
    return found;
}

std::set<std::string> tests_that_there_are() {
    static std::regex const test(R"(\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\))");
    std::set<std::string> found;
    for (auto const* const folder : {"src", "tests"}) {
        for (auto const& entry : fs::recursive_directory_iterator(folder)) {
            if (entry.path().filename().string().ends_with("_test.cpp")) found.merge(all_matches(text_of(entry), test));
        }
    }
    return found;
}

TEST(SecurityGuide, NamesTestsThatThereAre) {
    auto const guide = text_of("docs/guides/security.md");
    ASSERT_NE(guide, "") << "run from the top of the repository";
    static std::regex const name(R"(`([A-Z]\w+)\.([A-Z]\w+)`)");
    auto const there = tests_that_there_are();
    auto const named = all_matches(guide, name);
    EXPECT_GT(named.size(), 40U);
    for (auto const& each : named) EXPECT_TRUE(there.contains(each)) << each << " is no test";
}

TEST(SecurityGuide, NamesEveryAttack) {
    auto const guide = text_of("docs/guides/security.md");
    for (auto const& each : tests_that_there_are()) {
        if (each.starts_with("AttackOn")) EXPECT_NE(guide.find('`' + each + '`'), std::string::npos) << each;
    }
}

}  // namespace
}  // namespace buildplan::isolation
