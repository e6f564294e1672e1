#include "core/sealed.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"

namespace buildplan {
namespace {

// RFC 5869 appendix A.1 and A.3.
TEST(Hkdf, GivesWhatTheStandardSays) {
    std::string const secret(22, '\x0b');
    std::string const salt("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 13);
    EXPECT_EQ(to_hex(hkdf_sha256(secret, salt, "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", 42)),
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    EXPECT_EQ(to_hex(hkdf_sha256(secret, "", "", 42)),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Sealed, OpensAsItWas) {
    auto const key = hkdf_sha256("secret", "", "test");
    for (auto const& plain : {std::string{}, std::string("x"), std::string(1000, 'y')}) {
        EXPECT_EQ(open_sealed(key, seal(key, plain, "row 1"), "row 1"), plain);
    }
}

TEST(Sealed, IsAnotherTextEachTime) {
    auto const key = hkdf_sha256("secret", "", "test");
    EXPECT_NE(seal(key, "plain", ""), seal(key, "plain", ""));
}

TEST(Sealed, StaysShutForAnybodyElse) {
    auto const key = hkdf_sha256("secret", "", "test");
    auto const sealed = seal(key, "plain", "row 1");
    EXPECT_EQ(open_sealed(hkdf_sha256("secret", "", "other"), sealed, "row 1"), std::nullopt);
    EXPECT_EQ(open_sealed(hkdf_sha256("Secret", "", "test"), sealed, "row 1"), std::nullopt);
    EXPECT_EQ(open_sealed(key, sealed, "row 2"), std::nullopt);
    EXPECT_EQ(open_sealed(key, sealed, ""), std::nullopt);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 0x80);
        EXPECT_EQ(open_sealed(key, changed, "row 1"), std::nullopt) << i;
        EXPECT_EQ(open_sealed(key, std::string_view{sealed}.substr(0, i), "row 1"), std::nullopt) << i;
    }
}

}  // namespace
}  // namespace buildplan
