// For the attacks: a server, an organization that is attacked and one that attacks.
#pragma once

#include <gtest/gtest.h>

#include "tests/isolation/world.hpp"

namespace buildplan::isolation {

class Attack : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server = std::make_unique<Product>(); }
    static void TearDownTestSuite() { server.reset(); }

    // In the end nothing of the attacked is another than it was, unless a test says that it changed something itself.
    void TearDown() override { expect_unchanged(before, victim.rows()); }
    void victim_changed() { before = victim.rows(); }

    static HttpAnswer ask(std::string const& auth, std::string_view method, std::string const& target,
                          std::string_view body = {}, std::string const& headers = {}) {
        return server->ask(method, target, auth + headers + media(method), body);
    }
    static std::string as(Person const& who, House const& where) { return who.auth(*server, where.keys.id); }
    [[nodiscard]] std::string attacker_owner() const { return as(attacker.owner, attacker); }
    // Their access does not end later than a second after `lost` is true.
    static void expect_soon(std::string const& auth, std::string_view method, std::string const& target,
                            std::string_view body, int status) {
        auto const began = std::chrono::steady_clock::now();
        while (ask(auth, method, target, body).status != status) {
            ASSERT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{4}) << "not " << status;
        }
    }
    static std::string code(HttpAnswer const& answer) { return answer.status >= 400 ? answer.text("code") : ""; }

    static inline std::unique_ptr<Product> server;
    House victim, attacker;
    std::string before = victim.rows();
};

}  // namespace buildplan::isolation
