// What the log says of requests.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "api/test_routes.hpp"
#include "api/test_server.hpp"

namespace buildplan::api::testing {
namespace {

class RequestLog : public ::testing::Test {
protected:
    RequestLog() { wishes.log = Log(sink); }
    ~RequestLog() override { ::close(fd); }

    // The lines that the requests of `asked` left, once the server is gone.
    template <class Ask>
    std::vector<boost::json::object> lines(Ask ask) {
        {
            TestServer server{test_tables(), wishes};
            ask(server);
        }
        sink.flush();
        std::vector<boost::json::object> all;
        std::ifstream file(path);
        for (std::string line; std::getline(file, line);) {
            auto parsed = boost::json::parse(line).as_object();
            if (parsed.contains("requestId")) all.push_back(std::move(parsed));
        }
        return all;
    }

    std::string path = (test_support::make_temporary_folder("log") / "log").native();
    int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    LogSink sink{fd, LogFormat::json, LogLevel::info};
    ServerWishes wishes;
    Tenant us;
};

TEST_F(RequestLog, HasOneLineForEachRequest) {
    auto const all = lines([&](TestServer& server) {
        EXPECT_EQ(server
                      .ask("GET", "/v1/things?secret=1",
                           us.auth() + "X-Request-Id: mine-1\r\n"
                                       "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n")
                      .status,
                  422);
        EXPECT_EQ(server.ask("GET", "/v1/nothing").status, 404);
    });
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].at("requestId").as_string(), "mine-1");
    EXPECT_EQ(all[0].at("traceId").as_string(), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_EQ(all[0].at("method").as_string(), "GET");
    EXPECT_EQ(all[0].at("route").as_string(), "/v1/things");
    EXPECT_EQ(all[0].at("status").as_int64(), 422);
    EXPECT_EQ(all[0].at("organization").as_string(), us.id.to_string());
    EXPECT_EQ(all[0].at("remote").as_string(), "127.0.0.1");
    EXPECT_TRUE(all[0].contains("ms"));
    EXPECT_EQ(boost::json::serialize(all[0]).find("secret"), std::string::npos);
    EXPECT_EQ(all[1].at("route").as_string(), "unmatched");
}

TEST_F(RequestLog, SaysOnceWhatWentWrongInside) {
    std::string id;
    auto const all =
        lines([&](TestServer& server) { id = server.ask("GET", "/v1/crash", us.auth()).text("requestId"); });
    int told = 0;
    for (auto const& line : all) {
        EXPECT_EQ(line.at("requestId").as_string(), id);
        if (boost::json::serialize(line).find("hunter2") != std::string::npos) ++told;
    }
    EXPECT_EQ(all.size(), 2u);
    EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace buildplan::api::testing
