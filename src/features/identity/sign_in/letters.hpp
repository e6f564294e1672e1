// Letters: mails that somebody is to get, written as events of the outbox in the transaction of what they tell about.
// Whoever sends mail takes them from there; the topic says which letter it is. Such an event lies under the person's
// own id, since it is about no organization.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "postgres/pool.hpp"
#include "runtime/task.hpp"

namespace buildplan::identity {

enum class Letter : std::uint8_t { verify_email, reset_password };

constexpr std::chrono::hours verify_email_lasts{72};
constexpr std::chrono::hours reset_password_lasts{1};

// Makes the token that the letter carries; an earlier one for the same purpose is worth nothing from then on.
task<> write_letter(postgres::SystemTx& tx, Letter letter, UserId to, std::string email, std::string name);

// The letters whose only content is news.
task<> write_news(postgres::SystemTx& tx, std::string_view topic, UserId to, std::string email, std::string name);

// A letter of any feature, on its way out.
struct WaitingLetter {
    std::string topic;  // mail.invitation
    std::string to;
    std::string token;  // empty for mere news
};
// The next ones, at most 100, for whoever sends them: each is given out once.
task<std::vector<WaitingLetter>> take_letters(postgres::SystemPool& system);

// What is kept of a token: 32 bytes.
std::string hash_of_mailed(std::string_view token);

std::string_view purpose_of(Letter letter) noexcept;

}  // namespace buildplan::identity
