// Reads every queries.sql of the product: a statement that changes something of an organization records it, or is named
// here with the reason why it need not.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

namespace buildplan::audit {
namespace {

// Statements by name, without their comments.
std::map<std::string, std::string> statements() {
    std::map<std::string, std::string> found;
    for (auto const& file : std::filesystem::recursive_directory_iterator(BUILDPLAN_FEATURES)) {
        if (file.path().filename() != "queries.sql") continue;
        auto const folder = std::filesystem::relative(file.path().parent_path(), BUILDPLAN_FEATURES).string();
        std::ifstream stream(file.path());
        std::string* current = nullptr;
        for (std::string line; std::getline(stream, line);) {
            std::smatch name;
            if (std::regex_search(line, name, std::regex(R"(^-- name: (\w+))"))) {
                current = &found[folder + "/" + name[1].str()];
            } else if (current && !line.starts_with("--")) {
                *current += line + "\n";
            }
        }
    }
    return found;
}

bool changes_something(std::string const& sql) {
    static std::regex const change(
        R"(\b(INSERT INTO|UPDATE|DELETE FROM)\s+(organizations|organization_members|invitations|workspaces|subscriptions|api_keys)\b)");
    return std::regex_search(sql, change);
}

std::map<std::string, std::string> const reviewed = {
    {"identity/api_keys/touch_key", "when a key was last used is nothing that somebody changes"},
    {"identity/mark_installation_key", "the one who starts `up` marks their own key; no request can"},
    {"identity/sign_in/found_organization", "registration records it in the same transaction"},
    {"identity/sign_in/join_as_owner", "registration records it in the same transaction"},
    {"identity/sign_in/subscribe_to_free", "registration records it in the same transaction"},
    {"organizations/purge_one", "the log goes with its organization"},
};

TEST(Changes, AreRecordedInTheStatementThatMakesThem) {
    auto const all = statements();
    EXPECT_GT(all.size(), 20U);
    std::size_t changes = 0;
    for (auto const& [name, sql] : all) {
        if (!changes_something(sql)) continue;
        ++changes;
        bool const records = sql.find("INSERT INTO audit_log") != std::string::npos;
        EXPECT_NE(records, reviewed.contains(name)) << name;
    }
    EXPECT_GT(changes, 5U);
    for (auto const& [name, reason] : reviewed) EXPECT_TRUE(all.contains(name)) << name << " is gone";
}

}  // namespace
}  // namespace buildplan::audit
