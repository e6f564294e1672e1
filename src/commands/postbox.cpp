#include "commands/postbox.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace buildplan::commands {
namespace {

constexpr std::chrono::milliseconds pause{500};

// What to type to do what the letter is for; there are no pages for it.
struct Kind {
    std::string_view topic, subject, call, path, more;
};
constexpr Kind kinds[] = {
    {"mail.verify_email", "verify your address", "curl", "/auth/verify-email", ""},
    {"mail.reset_password", "set a new password", "curl", "/auth/reset-password", R"(, "newPassword": "…")"},
    {"mail.password_changed", "your password was changed", "", "", ""},
    {"mail.invitation", "you are invited", R"(curl -H "Authorization: Bearer $TOKEN")", "/v1/invitations/accept", ""},
};

}  // namespace

std::string Postbox::line(identity::WaitingLetter const& letter, std::string_view site) {
    for (auto const& kind : kinds) {
        if (kind.topic != letter.topic) continue;
        auto text = fmt::format("Mail to {}: {}", letter.to, kind.subject);
        if (!letter.token.empty() && !kind.call.empty()) {
            text += fmt::format(": {} {}{} --json '{{\"token\": \"{}\"{}}}'", kind.call, site, kind.path, letter.token,
                                kind.more);
        }
        return text;
    }
    return fmt::format("Mail to {}: {}", letter.to, letter.topic);
}

void Postbox::start(std::string site, std::function<void(std::string const&)> print) {
    asio::co_spawn(loop_.io(), run(gate_.enter(), std::move(site), std::move(print)),
                   asio::bind_cancellation_slot(cancel_.slot(), [](std::exception_ptr) {}));
}

task<> Postbox::stop() {
    cancel_.emit(asio::cancellation_type::terminal);
    co_await gate_.close();
}

task<> Postbox::run(Gate::Pass pass, std::string site, std::function<void(std::string const&)> print) {
    auto const held = std::move(pass);
    for (;;) {
        try {
            auto const letters = co_await identity::take_letters(system_);
            for (auto const& letter : letters) print(line(letter, site));
        } catch (boost::system::system_error const&) {
            throw;  // cancelled
        } catch (std::exception const& error) {
            loop_.log().warning("the postbox will be looked into again", {{"error", error.what()}});
        }
        co_await sleep_for(pause);
    }
}

}  // namespace buildplan::commands
