#include "core/actor.hpp"

#include <gtest/gtest.h>

namespace buildplan {
namespace {

TEST(Actor, IsFiveFieldsWithoutControlCharacters) {
    Actor const actor{.kind = Actor::Kind::user,
                      .id = Uuid::parse("0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b"),
                      .name = "Ada\x1f\n\x7f",
                      .address = "::1",
                      .request_id = "r-1"};
    EXPECT_EQ(actor.text(),
              "user\x1f"
              "0190a5b2-7c3d-7e4f-8a6b-1c2d3e4f5a6b\x1f"
              "Ada\x1f"
              "::1\x1f"
              "r-1");
    EXPECT_EQ(Actor{}.text(), "system\x1f\x1f\x1f\x1f");
}

TEST(Actor, CutsAFieldThatIsTooLongBetweenTwoCharacters) {
    Actor const actor{.address = std::string(63, 'a') + "é" + std::string(10, 'b')};
    EXPECT_EQ(actor.text(), "system\x1f\x1f\x1f" + std::string(63, 'a') + "\x1f");
}

}  // namespace
}  // namespace buildplan
