#include "core/ed25519.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"

namespace buildplan {
namespace {

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return bytes;
}

// RFC 8032 section 7.1, TEST 3.
constexpr std::string_view seed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
constexpr std::string_view public_key = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
constexpr std::string_view signature =
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc0"
    "27beceea1ec40a";

TEST(Ed25519, SignsAsTheStandardDoes) {
    SigningKey const key(from_hex(seed));
    EXPECT_EQ(to_hex(key.verifying_key().bytes()), public_key);
    EXPECT_EQ(to_hex(key.sign("\xaf\x82")), signature);
    EXPECT_EQ(to_hex(key.seed()), seed);
}

TEST(Ed25519, VerifiesWhatItSignedAndNothingElse) {
    VerifyingKey const key(from_hex(public_key));
    auto const good = from_hex(signature);
    EXPECT_TRUE(key.verify("\xaf\x82", good));
    EXPECT_FALSE(key.verify("\xaf\x83", good));
    EXPECT_FALSE(key.verify("", good));
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        EXPECT_FALSE(key.verify("\xaf\x82", bad)) << i;
    }
    EXPECT_FALSE(key.verify("\xaf\x82", good.substr(1)));
    EXPECT_FALSE(key.verify("\xaf\x82", good + "x"));
    EXPECT_FALSE(key.verify("\xaf\x82", ""));
    EXPECT_FALSE(SigningKey::generate().verifying_key().verify("\xaf\x82", good));
}

// S is taken below the order of the group only (RFC 8032 section 5.1.7): otherwise one signature could be made into
// another one.
TEST(Ed25519, RefusesASecondFormOfASignature) {
    constexpr std::string_view order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    auto bad = from_hex(signature);
    auto const add = from_hex(order);
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += static_cast<unsigned char>(bad[32 + i]) + static_cast<unsigned char>(add[i]);
        bad[32 + i] = static_cast<char>(carry & 255);
        carry >>= 8;
    }
    EXPECT_FALSE(VerifyingKey(from_hex(public_key)).verify("\xaf\x82", bad));
}

TEST(Ed25519, EveryGeneratedKeyIsAnother) { EXPECT_NE(SigningKey::generate().seed(), SigningKey::generate().seed()); }

TEST(Ed25519, TakesNothingThatIsNoKey) {
    EXPECT_THROW(SigningKey{"short"}, std::invalid_argument);
    EXPECT_THROW(VerifyingKey{std::string(33, 'x')}, std::invalid_argument);
}

}  // namespace
}  // namespace buildplan
