#include "features/identity/passwords/hash.hpp"

#include <gtest/gtest.h>

#include "features/identity/passwords/hashing.hpp"
#include "postgres/test_pool.hpp"

namespace buildplan::identity {
namespace {

TEST(PasswordHash, IsArgon2idWithOwaspsParametersAsAPhcString) {
    auto const hash = hash_password("a long and quiet afternoon");
    EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
    EXPECT_FALSE(is_outdated(hash));
    EXPECT_TRUE(password_fits(hash, "a long and quiet afternoon"));
    EXPECT_FALSE(password_fits(hash, "a long and quiet afternoom"));
    EXPECT_FALSE(password_fits(hash, ""));
    EXPECT_NE(hash, hash_password("a long and quiet afternoon")) << "no salt";
}

// RFC 9106 is followed: a hash that the reference program (Debian's argon2) made of "a long and quiet afternoon".
TEST(PasswordHash, ReadsWhatTheReferenceProgramWrote) {
    std::string const theirs =
        "$argon2id$v=19$m=19456,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$G0EfzsoHIhJuPeTDDYdjMqAWik5t2QVyW2L+zum4RT4";
    EXPECT_TRUE(password_fits(theirs, "a long and quiet afternoon"));
    EXPECT_FALSE(password_fits(theirs, "a long and quiet evening"));
    EXPECT_TRUE(is_outdated(theirs)) << "it took one pass more";
}

TEST(PasswordHash, DoesNotFitWhatIsNoHash) {
    for (auto const& text : {std::string{}, std::string("x"), std::string("$argon2id$"), std::string(600, 'x'),
                             std::string("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA")}) {
        EXPECT_FALSE(password_fits(text, "x")) << text;
    }
}

TEST(PasswordHash, OfNobodyCostsWhatOthersCost) { EXPECT_FALSE(is_outdated(nobodys_hash())); }

class Hashing : public ::testing::Test {
protected:
    postgres::testing::Ground ground;
    PasswordHashing passwords{ground.offload, {.at_once = 1, .waiting = 2}};
};

TEST_F(Hashing, FitsTheirOwnAndNobodysNever) {
    ground.run([](PasswordHashing& passwords_) -> task<> {
        auto const hash = co_await passwords_.hash("a long and quiet afternoon");
        bool const right = co_await passwords_.fits(hash, "a long and quiet afternoon");
        bool const wrong = co_await passwords_.fits(hash, "another afternoon");
        bool const nobody = co_await passwords_.fits(std::nullopt, "a long and quiet afternoon");
        EXPECT_TRUE(right);
        EXPECT_FALSE(wrong);
        EXPECT_FALSE(nobody);
    }(passwords));
}

TEST_F(Hashing, IsBoundedInWhatRunsAndWhatWaits) {
    ground.run([](PasswordHashing& passwords_) -> task<> {
        int done = 0, refused = 0;
        auto const one = [](PasswordHashing& p, int& done_, int& refused_) -> task<> {
            try {
                co_await p.fits(std::nullopt, "x");
                ++done_;
            } catch (Problem const& problem) {
                EXPECT_EQ(problem.status, 503);
                EXPECT_TRUE(problem.retry_after);
                ++refused_;
            }
        };
        auto const executor = co_await asio::this_coro::executor;
        for (int i = 0; i < 5; ++i) asio::co_spawn(executor, one(passwords_, done, refused), asio::detached);
        while (refused < 2) co_await asio::post(executor, use_task);
        EXPECT_EQ(passwords_.waiting(), 2u);
        while (done < 3) co_await sleep_for(std::chrono::milliseconds{1});
        EXPECT_EQ(done + refused, 5);
        EXPECT_EQ(passwords_.waiting(), 0u);
        // Whoever leaves while waiting takes no turn with them.
        bool const again = co_await passwords_.fits(std::nullopt, "x");
        EXPECT_FALSE(again);
    }(passwords));
}

TEST_F(Hashing, WhoLeavesWhileWaitingTakesNoTurn) {
    ground.run([](PasswordHashing& passwords_) -> task<> {
        auto const executor = co_await asio::this_coro::executor;
        auto const one = [](PasswordHashing& p, int& ended) -> task<> {
            try {
                co_await p.fits(std::nullopt, "x");
            } catch (boost::system::system_error const&) {
            }
            ++ended;
        };
        int ended = 0;
        asio::cancellation_signal leave;
        asio::co_spawn(executor, one(passwords_, ended), asio::detached);
        asio::co_spawn(executor, one(passwords_, ended), asio::bind_cancellation_slot(leave.slot(), asio::detached));
        while (passwords_.waiting() < 1) co_await asio::post(executor, use_task);
        leave.emit(asio::cancellation_type::terminal);
        while (passwords_.waiting() > 0) co_await asio::post(executor, use_task);
        co_await passwords_.fits(std::nullopt, "x");
        EXPECT_EQ(ended, 2);
    }(passwords));
}

}  // namespace
}  // namespace buildplan::identity
