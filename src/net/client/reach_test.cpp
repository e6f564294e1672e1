#include "net/client/reach.hpp"

#include <gtest/gtest.h>

namespace buildplan::net {
namespace {

Address address(std::string_view text) {
    auto const parsed = Address::parse(text);
    EXPECT_TRUE(parsed) << text;
    return parsed.value_or(Address{});
}

TEST(Reach, SpecialPurposeAddressesAreNotPublic) {
    constexpr std::string_view refused[] = {"0.0.0.0",
                                            "0.0.0.1",
                                            "0.255.255.255",
                                            "10.0.0.0",
                                            "10.1.2.3",
                                            "10.255.255.255",
                                            "100.64.0.0",
                                            "100.64.0.1",
                                            "100.127.255.255",
                                            "127.0.0.0",
                                            "127.0.0.1",
                                            "127.1.2.3",
                                            "127.255.255.255",
                                            "169.254.0.1",
                                            "169.254.169.254",
                                            "169.254.170.2",
                                            "169.254.255.255",
                                            "172.16.0.0",
                                            "172.16.0.1",
                                            "172.24.1.1",
                                            "172.31.255.255",
                                            "192.0.0.0",
                                            "192.0.0.1",
                                            "192.0.0.170",
                                            "192.0.0.255",
                                            "192.0.2.1",
                                            "192.88.99.1",
                                            "192.168.0.0",
                                            "192.168.1.1",
                                            "192.168.255.255",
                                            "198.18.0.1",
                                            "198.19.255.255",
                                            "198.51.100.7",
                                            "203.0.113.9",
                                            "224.0.0.1",
                                            "232.1.1.1",
                                            "239.255.255.255",
                                            "240.0.0.1",
                                            "250.1.1.1",
                                            "255.255.255.254",
                                            "255.255.255.255",
                                            "::",
                                            "::1",
                                            "::2",
                                            "::7f00:1",
                                            "::ffff:127.0.0.1",
                                            "::ffff:10.0.0.1",
                                            "::ffff:169.254.169.254",
                                            "::ffff:192.168.0.1",
                                            "::ffff:0:127.0.0.1",
                                            "64:ff9b::7f00:1",
                                            "64:ff9b::a00:1",
                                            "64:ff9b::a9fe:a9fe",
                                            "64:ff9b:1::1",
                                            "64:ff9b:1::808:808",
                                            "100::1",
                                            "2001::1",
                                            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                                            "2001:2::1",
                                            "2001:10::1",
                                            "2001:20::1",
                                            "2001:1ff:ffff::1",
                                            "2001:db8::1",
                                            "2001:db8:ffff::1",
                                            "2002::1",
                                            "2002:7f00:1::",
                                            "2002:808:808::1",
                                            "3fff::1",
                                            "3fff:fff:ffff::1",
                                            "4000::1",
                                            "5f00::1",
                                            "8000::1",
                                            "fc00::1",
                                            "fd00::1",
                                            "fd00:ec2::254",
                                            "fdff:ffff::1",
                                            "fe80::1",
                                            "fe80::ffff:1",
                                            "febf::1",
                                            "fec0::1",
                                            "feff::1",
                                            "ff00::1",
                                            "ff02::1",
                                            "ff0e::1",
                                            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
    for (auto const text : refused) EXPECT_FALSE(is_public(address(text))) << text;
}

TEST(Reach, NeighboursOfSpecialBlocksArePublic) {
    constexpr std::string_view allowed[] = {"1.0.0.0",           "1.1.1.1",
                                            "8.8.8.8",           "9.255.255.255",
                                            "11.0.0.0",          "93.184.216.34",
                                            "100.63.255.255",    "100.128.0.0",
                                            "126.255.255.255",   "128.0.0.0",
                                            "140.82.121.3",      "169.253.255.255",
                                            "169.255.0.0",       "172.15.255.255",
                                            "172.32.0.0",        "191.255.255.255",
                                            "192.0.1.0",         "192.0.3.0",
                                            "192.88.98.255",     "192.88.100.0",
                                            "192.167.255.255",   "192.169.0.0",
                                            "198.17.255.255",    "198.20.0.0",
                                            "198.51.99.255",     "198.51.101.0",
                                            "203.0.112.255",     "203.0.114.0",
                                            "223.255.255.255",   "::ffff:8.8.8.8",
                                            "64:ff9b::808:808",  "2000::1",
                                            "2001:200::1",       "2001:4860:4860::8888",
                                            "2001:db7:ffff::1",  "2001:db9::1",
                                            "2003::1",           "2606:4700:4700::1111",
                                            "2a00:1450:4001::1", "3ffe::1",
                                            "3fff:1000::1"};
    for (auto const text : allowed) EXPECT_TRUE(is_public(address(text))) << text;
}

TEST(Reach, AllowListOpensWhatItNamesAndOnlyWhereItIsAsked) {
    std::vector<std::string> const entries{"10.1.0.0/16", "fd00::7", "Minio.internal"};
    AllowList const list(entries);
    EXPECT_TRUE(may_reach(Reach::allow_listed, list, "x", address("10.1.2.3")));
    EXPECT_FALSE(may_reach(Reach::allow_listed, list, "x", address("10.2.0.1")));
    EXPECT_TRUE(may_reach(Reach::allow_listed, list, "x", address("fd00::7")));
    EXPECT_FALSE(may_reach(Reach::allow_listed, list, "x", address("fd00::8")));
    EXPECT_TRUE(may_reach(Reach::allow_listed, list, "minio.INTERNAL", address("192.168.0.4")));
    EXPECT_FALSE(may_reach(Reach::allow_listed, list, "a.minio.internal", address("192.168.0.4")));
    EXPECT_TRUE(may_reach(Reach::allow_listed, list, "x", address("8.8.8.8")));
    EXPECT_FALSE(may_reach(Reach::public_only, list, "minio.internal", address("10.1.2.3")));
    EXPECT_TRUE(may_reach(Reach::anything, list, "x", address("127.0.0.1")));
}

TEST(Reach, AllowListRefusesWhatCouldNeverMatch) {
    for (auto const* entry : {"", "10.0.0.0/33", "300.1.1.1", "10.1", "http://x", "a b", "*.internal"}) {
        std::vector<std::string> const entries{entry};
        EXPECT_THROW(AllowList{entries}, std::invalid_argument) << entry;
    }
}

}  // namespace
}  // namespace buildplan::net
