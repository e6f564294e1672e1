// OperatorError: something that only the person who runs the program can put right: a port in use, a full disk, a
// missing package. One line says what happened and what to do; main() prints it and leaves with `exit_code`. It never
// reaches a caller of the API, that is what Problem is for.
#pragma once

#include <stdexcept>
#include <string>

namespace buildplan {

class OperatorError : public std::runtime_error {
public:
    OperatorError(std::string happened_, std::string remedy_, int exit_code_ = 1)
        : std::runtime_error(happened_ + ": " + remedy_),
          happened(std::move(happened_)),
          remedy(std::move(remedy_)),
          exit_code(exit_code_) {}

    std::string happened;  // "The disk of /srv/data is full (12 MB free)"
    std::string remedy;    // "free at least 200 MB, or choose another folder with --data"
    int exit_code;         // never 0
};

}  // namespace buildplan
