// Postbox: where nobody relays mail yet, the letters that the program writes (verify this address, set a new password)
// are told to the person at the terminal instead. For `up`, on one's own machine.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <string>

#include "features/identity/sign_in/letters.hpp"
#include "runtime/gate.hpp"
#include "runtime/loop.hpp"

namespace buildplan::commands {

class Postbox {
public:
    // Both outlive it.
    Postbox(Loop& loop, postgres::SystemPool& system) : loop_(loop), system_(system) {}

    // `site`: where the installation is, "http://127.0.0.1:8080". `print` is called on the loop's thread.
    void start(std::string site, std::function<void(std::string const&)> print);
    task<> stop();

    // "Mail to ada@example.com: verify your address: curl http://…": with the call that does so.
    static std::string line(identity::WaitingLetter const& letter, std::string_view site);

private:
    task<> run(Gate::Pass pass, std::string site, std::function<void(std::string const&)> print);

    Loop& loop_;
    postgres::SystemPool& system_;
    Gate gate_;
    asio::cancellation_signal cancel_;
};

}  // namespace buildplan::commands
