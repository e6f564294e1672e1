#include "core/json/pointer.hpp"

#include <gtest/gtest.h>

namespace buildplan::json {
namespace {

TEST(JsonPointer, IsEmptyForTheRoot) { EXPECT_EQ(to_pointer("", nullptr), ""); }

TEST(JsonPointer, NamesEveryStepAndEscapes) {
    auto const outer = Path::member(nullptr, "a/b");
    auto const element = Path::element(&outer, 12);
    auto const inner = Path::member(&element, "~1 m~n");
    EXPECT_EQ(to_pointer("", &inner), "/a~1b/12/~01 m~0n");
    EXPECT_EQ(to_pointer("/items/0", &inner), "/items/0/a~1b/12/~01 m~0n");
}

TEST(JsonPointer, KeepsEmptyKeys) {
    auto const empty = Path::member(nullptr, "");
    EXPECT_EQ(to_pointer("", &empty), "/");
}

}  // namespace
}  // namespace buildplan::json
