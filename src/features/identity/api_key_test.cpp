#include "features/identity/api_key.hpp"

#include <gtest/gtest.h>

#include <set>

namespace buildplan::identity {
namespace {

TEST(ApiKeys, HaveAFormThatScannersKnow) {
    auto const service = make_key(KeyKind::service);
    EXPECT_EQ(service.size(), 46u);
    EXPECT_TRUE(service.starts_with("bp_svc_"));
    EXPECT_EQ(kind_of_key(service), KeyKind::service);
    auto const personal = make_key(KeyKind::personal);
    EXPECT_TRUE(personal.starts_with("bp_pat_"));
    EXPECT_EQ(kind_of_key(personal), KeyKind::personal);
    EXPECT_EQ(prefix_of_key(service), service.substr(0, 11));
}

TEST(ApiKeys, KeepTheirChecksum) {
    // What others have built scanners for must never change.
    EXPECT_EQ(kind_of_key("bp_svc_0123456789ABCDEFGHIJKLMNOPQRSTUV_2jTaZG"), KeyKind::service);
    auto const key = make_key(KeyKind::service);
    for (std::size_t i = 0; i < key.size(); ++i) {
        auto changed = key;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(kind_of_key(changed)) << i;
    }
}

TEST(ApiKeys, AreNotMistaken) {
    auto const key = make_key(KeyKind::service);
    auto other_kind = key;
    other_kind.replace(0, 7, "bp_pat_");
    for (auto const& bad : {std::string{}, std::string("bp_svc_"), key + "x", key.substr(1), " " + key, other_kind}) {
        EXPECT_FALSE(kind_of_key(bad)) << bad;
    }
}

TEST(ApiKeys, DifferEachTime) {
    std::set<std::string> keys;
    for (int i = 0; i < 1'000; ++i) keys.insert(make_key(KeyKind::service));
    EXPECT_EQ(keys.size(), 1'000u);
}

}  // namespace
}  // namespace buildplan::identity
