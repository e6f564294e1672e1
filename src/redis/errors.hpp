// What goes wrong between us and Redis, told apart by what a caller can do about it.
#pragma once

#include <stdexcept>
#include <string>

#include "redis/value.hpp"

namespace buildplan::redis {

class Failure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// No answer: not connected, connection lost, queue full. Whoever can do without Redis goes on without it.
class Unavailable : public Failure {
public:
    enum class Sent : bool { no, perhaps };
    Unavailable(std::string const& what, Sent sent_) : Failure(what), sent(sent_) {}
    // `perhaps`: the server may have carried the command out, or may still do so.
    Sent sent;
};

// The command's own deadline passed.
class Timeout : public Unavailable {
public:
    Timeout() : Unavailable("Redis did not answer in time", Sent::perhaps) {}
};

// Redis answered with an error. `what()` is its whole text, `code` its first word.
class ReplyError : public Failure {
public:
    explicit ReplyError(Value const& error) : Failure(std::string(error.as_text())), code(error.error_code()) {}
    std::string code;
};

// A reply of a kind that the command does not have.
class UnexpectedReply : public Failure {
    using Failure::Failure;
};

// Bytes that are not RESP, or exceed the parser's limits. The connection is given up.
class ProtocolError : public Failure {
    using Failure::Failure;
};

}  // namespace buildplan::redis
