#include "local/data_folder.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "local/files.hpp"
#include "tests/support/forked.hpp"
#include "tests/support/servers.hpp"

namespace buildplan::local {
namespace {

class DataFolderTest : public testing::Test {
protected:
    std::string refusal(std::filesystem::path const& folder, std::uint64_t minimum_free = 0) {
        try {
            DataFolder const opened(folder, server_user(), minimum_free);
        } catch (OperatorError const& error) {
            EXPECT_FALSE(std::string_view(error.what()).contains('\n'));
            return error.what();
        }
        return "none";
    }
    static mode_t mode_of(std::filesystem::path const& path) {
        struct stat info{};
        return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
    }

    std::filesystem::path above_ = test_support::make_temporary_folder("folder");
    std::filesystem::path folder_ = above_ / "one" / "two" / ".buildplan";
};

TEST_F(DataFolderTest, IsMadeForUsAloneAndOpensAgain) {
    std::string secret;
    for (int round = 0; round < 2; ++round) {
        DataFolder const folder(folder_.native() + "/");
        EXPECT_EQ(folder.path(), std::filesystem::canonical(folder_));
        EXPECT_EQ(mode_of(folder_), server_user().is_other() ? 0710U : 0700U);
        for (auto const* own : {"logs", "secrets", "storage", "run/sockets"}) EXPECT_EQ(mode_of(folder_ / own), 0700U);
        EXPECT_EQ(read_file(folder_ / "VERSION", 10), "1\n");
        if (round == 1) EXPECT_EQ(folder.secret("key"), secret);
        secret = folder.secret("key");
        EXPECT_EQ(secret.size(), 43U);
        EXPECT_NE(secret, folder.secret("other"));
        EXPECT_EQ(mode_of(folder_ / "secrets" / "key"), 0600U);
    }
}

TEST_F(DataFolderTest, SecondOneIsToldWhoHasIt) {
    DataFolder const first(folder_);
    EXPECT_EQ(refusal(folder_), fmt::format("{} is in use by another buildplan (process {}): stop that one, or choose "
                                            "another folder with --data",
                                            folder_.native(), ::getpid()));
}

TEST_F(DataFolderTest, KilledHolderLeavesItFree) {
    test_support::Forked holder([&] { new DataFolder(folder_); });
    ASSERT_TRUE(holder.done());
    EXPECT_TRUE(refusal(folder_).contains("is in use"));
    holder.kill9();
    EXPECT_EQ(refusal(folder_), "none");
}

TEST_F(DataFolderTest, OtherFormatIsRefused) {
    {
        DataFolder const made(folder_);
    }
    std::ofstream(folder_ / "VERSION") << "999\n";
    EXPECT_EQ(refusal(folder_),
              fmt::format("{} has the format '999', and this buildplan reads 1: use the buildplan that "
                          "made it, or choose another folder with --data",
                          folder_.native()));
}

TEST_F(DataFolderTest, FolderThatHoldsSomethingElseIsLeftAsItIs) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "letter.txt") << "dear";
    EXPECT_TRUE(refusal(folder_).contains("is not empty"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "lock"));
    EXPECT_TRUE(refusal(folder_ / "letter.txt").contains("cannot be a data folder"));
    EXPECT_TRUE(refusal("/proc/buildplan").contains("/proc/buildplan"));
}

TEST_F(DataFolderTest, StartThatWasKilledAtOnceIsNoObstacle) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "lock") << "";
    std::ofstream(folder_ / "VERSION.new") << "";
    EXPECT_EQ(refusal(folder_), "none");
}

TEST_F(DataFolderTest, FullDiskIsNamed) {
    auto const line = refusal(folder_, std::uint64_t{1} << 62);
    EXPECT_TRUE(line.starts_with("The disk of " + folder_.native() + " is nearly full (")) << line;
    try {
        throw file_error("/some/where/file", "cannot be written", ENOSPC);
    } catch (OperatorError const& error) {
        EXPECT_TRUE(error.happened.contains("is full (")) << error.happened;
    }
    // The real thing, where we may mount a small disk.
    std::filesystem::create_directories(folder_ / "disk");
    if (::mount("none", (folder_ / "disk").c_str(), "tmpfs", 0, "size=256k,mode=0755") == 0) {
        std::string told = "none";
        try {
            write_whole(folder_ / "disk" / "file", std::string(1 << 20, 'x'), 0600);
        } catch (OperatorError const& error) {
            told = error.what();
        }
        ::umount2((folder_ / "disk").c_str(), MNT_DETACH);
        EXPECT_TRUE(told.contains("is full (0 MB free)")) << told;
    }
}

TEST_F(DataFolderTest, EndpointsAreThereWhileItServes) {
    auto const file = folder_ / "run" / "endpoints.json";
    {
        DataFolder const folder(folder_);
        EXPECT_FALSE(std::filesystem::exists(file));
        folder.write_endpoints({"http://127.0.0.1:8080", "postgresql:owner", "postgresql:app", "postgresql:system",
                                "unix:/queue", "unix:/cache"});
        auto const content = boost::json::parse(read_file(file, 10'000).value());
        EXPECT_EQ(content.at("api").as_string(), "http://127.0.0.1:8080");
        EXPECT_EQ(content.at("postgres").at("system").as_string(), "postgresql:system");
        EXPECT_EQ(content.at("redisQueue").as_string(), "unix:/queue");
        EXPECT_EQ(mode_of(file), 0600U);
    }
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(DataFolderTest, LinkInPlaceOfAServersFolderIsNotFollowed) {
    std::filesystem::create_directories(above_ / "elsewhere");
    std::filesystem::create_directory_symlink(above_ / "elsewhere", above_ / "link");
    EXPECT_THROW(make_folder(above_ / "link", 0700, server_user()), OperatorError);
    EXPECT_THROW(write_whole(above_ / "link" / "file", "x", 0600), OperatorError);
}

}  // namespace
}  // namespace buildplan::local
