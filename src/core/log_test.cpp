#include "core/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <thread>

#include "core/metrics.hpp"

namespace buildplan {
namespace {

// A sink on a pipe that is read afterwards.
class Lines : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(::pipe2(ends_, O_CLOEXEC), 0); }
    void TearDown() override {
        ::close(ends_[0]);
        if (ends_[1] >= 0) ::close(ends_[1]);
    }
    std::string read_all() {
        ::close(std::exchange(ends_[1], -1));
        std::string text;
        char part[4096];
        for (ssize_t n = 0; (n = ::read(ends_[0], part, sizeof part)) > 0;)
            text.append(part, static_cast<std::size_t>(n));
        return text;
    }
    int ends_[2] = {-1, -1};
};

TEST_F(Lines, AreJsonWithContextAndFields) {
    {
        LogSink sink(ends_[1], LogFormat::json, LogLevel::info);
        auto const log = Log(sink).with({{"requestId", "r-1"}});
        log.debug("not wanted");
        log.info("it \"happened\"\n", {{"count", 3}, {"share", 0.5}, {"ok", true}, {"who", std::string("ann")}});
    }
    auto const line = boost::json::parse(read_all()).as_object();
    EXPECT_EQ(line.at("level"), "info");
    EXPECT_EQ(line.at("message"), "it \"happened\"\n");
    EXPECT_EQ(line.at("requestId"), "r-1");
    EXPECT_EQ(line.at("count"), 3);
    EXPECT_EQ(line.at("share"), 0.5);
    EXPECT_EQ(line.at("ok"), true);
    EXPECT_EQ(line.at("who"), "ann");
}

TEST_F(Lines, AReaderThatStandsStillHoldsUpNobody) {
    // The pipe holds 64 KiB and nobody reads; far more than the buffer is written, and every call returns.
    std::string text;
    std::jthread reader;
    {
        LogSink sink(ends_[1], LogFormat::json, LogLevel::info);
        Log const log(sink);
        std::string const filler(3000, 'x');
        for (int i = 0; i < 5000; ++i) log.info(filler);
        reader = std::jthread([&] {
            char part[65536];
            for (ssize_t n = 0; (n = ::read(ends_[0], part, sizeof part)) > 0;)
                text.append(part, static_cast<std::size_t>(n));
        });
    }
    ::close(std::exchange(ends_[1], -1));
    reader.join();
    EXPECT_NE(text.find("log lines dropped"), std::string::npos);
}

TEST(Metrics, RegistriesAreAddedUp) {
    metrics::Registry a, b;
    a.counter("jobs_total", "Jobs.", {{"queue", "x"}}).add(2);
    b.counter("jobs_total", "Jobs.", {{"queue", "x"}}).add(3);
    b.counter("jobs_total", "Jobs.", {{"queue", "quo\"te"}}).add();
    a.histogram("run_seconds", "Run time.").observe(0.003);
    b.histogram("run_seconds", "Run time.").observe(99);
    metrics::Registry* const all[] = {&a, &b};
    auto const text = metrics::exposition(all);
    EXPECT_NE(text.find("jobs_total{queue=\"x\"} 5\n"), std::string::npos) << text;
    EXPECT_NE(text.find("jobs_total{queue=\"quo\\\"te\"} 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("run_seconds_bucket{le=\"0.0025\"} 0\n"), std::string::npos) << text;
    EXPECT_NE(text.find("run_seconds_bucket{le=\"0.005\"} 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find("run_seconds_bucket{le=\"+Inf\"} 2\n"), std::string::npos) << text;
    EXPECT_NE(text.find("run_seconds_count 2\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace buildplan
