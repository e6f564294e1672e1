#include "core/settings.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <set>

namespace buildplan {
namespace {

class SettingsFile : public ::testing::Test {
protected:
    std::string write(std::string_view text) {
        path_ = ::testing::TempDir() + "settings-" + std::to_string(::getpid()) + ".yaml";
        std::ofstream(path_) << text;
        return path_;
    }
    void TearDown() override {
        if (!path_.empty()) std::remove(path_.c_str());
    }
    std::string path_;
};

TEST_F(SettingsFile, CommandLineBeatsEnvironmentBeatsFileBeatsDefault) {
    auto const file = write(
        "http:\n  port: 1000\n  shards: 3\n  idle_timeout: 5s\n  cors_origins: [https://a.example, "
        "https://b.example]\n");
    auto const loaded =
        load_settings({{"BUILDPLAN_HTTP_PORT", "2000"}, {"BUILDPLAN_HTTP_SHARDS", "4"}}, file, {{"http.port", "3000"}});
    EXPECT_EQ(loaded.errors, std::vector<std::string>{});
    EXPECT_EQ(loaded.settings.http.port, 3000);
    EXPECT_EQ(loaded.settings.http.shards, 4u);
    EXPECT_EQ(loaded.settings.http.idle_timeout, std::chrono::seconds{5});
    EXPECT_EQ(loaded.settings.http.cors_origins, (std::vector<std::string>{"https://a.example", "https://b.example"}));
    EXPECT_EQ(loaded.settings.http.address, "127.0.0.1");
}

TEST_F(SettingsFile, EveryErrorIsSaidAtOnce) {
    auto const file = write("http:\n  prot: 1\nlog:\n  level: loud\n");
    auto const loaded = load_settings({{"BUILDPLAN_HTTP_PORT", "70000"},
                                       {"BUILDPLAN_POSTGRES_WAITT", "1s"},
                                       {"BUILDPLAN_SHUTDOWN_GRACE", "soon"},
                                       {"BUILDPLAN_HTTP_MAX_BODY", "1MB"},
                                       {"BUILDPLAN_ZZZZZZZZZZZZ", "1"}},
                                      file);
    std::string all;
    for (auto const& error : loaded.errors) all += error + "\n";
    EXPECT_EQ(loaded.errors.size(), 7u) << all;
    for (auto const part : {":2: http.prot is not a setting; did you mean http.port?",
                            "log.level must be debug, info, warning or error, not \"loud\"",
                            "BUILDPLAN_HTTP_PORT must be from 0 to 65535, not \"70000\"",
                            "BUILDPLAN_POSTGRES_WAITT is not a setting; did you mean BUILDPLAN_POSTGRES_WAIT?",
                            "BUILDPLAN_SHUTDOWN_GRACE must be a time like 500ms, 30s, 5m or 1h, not \"soon\"",
                            "BUILDPLAN_HTTP_MAX_BODY must be a size like 64KiB or 8MiB, not \"1MB\"",
                            "BUILDPLAN_ZZZZZZZZZZZZ is not a setting (see `buildplan config list`)"}) {
        EXPECT_NE(all.find(part), std::string::npos) << part << "\nin\n" << all;
    }
}

TEST_F(SettingsFile, AFileThatIsNoMapOrNotThereIsAnError) {
    EXPECT_EQ(load_settings({}, write("- a\n- b\n")).errors.size(), 1u);
    EXPECT_EQ(load_settings({}, write("http: [\n")).errors.size(), 1u);
    EXPECT_EQ(load_settings({}, "/nowhere/buildplan.yaml").errors.size(), 1u);
    EXPECT_EQ(load_settings({}, write("")).errors.size(), 0u);
}

TEST(Settings, SecretsAreNeverShown) {
    auto const loaded = load_settings({{"BUILDPLAN_POSTGRES_APP_URL", "postgresql://app:hunter2@db/buildplan"}}, "");
    for (auto const& info : describe_settings(loaded.settings)) {
        EXPECT_EQ(info.value.find("hunter2"), std::string::npos);
        if (info.name == "postgres.app_url") {
            EXPECT_EQ(info.value, "***");
        }
    }
}

TEST(Settings, EachIsDocumentedAndItsDefaultIsValid) {
    std::set<std::string> names;
    for (auto const& info : describe_settings(Settings{})) {
        EXPECT_TRUE(names.insert(info.env).second) << info.env;
        EXPECT_TRUE(info.meaning.ends_with('.')) << info.name;
        EXPECT_FALSE(info.type.empty()) << info.name;
        auto const again = load_settings({{info.env, info.standard}}, "");
        EXPECT_EQ(again.errors, std::vector<std::string>{}) << info.name;
        for (auto const& read : describe_settings(again.settings)) {
            if (read.name == info.name) {
                EXPECT_EQ(read.value, info.secret ? "" : info.standard);
            }
        }
    }
}

}  // namespace
}  // namespace buildplan
