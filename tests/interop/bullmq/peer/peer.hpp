// A program that does with our client what the tests say, one JSON object a line on standard input, and answers with
// one a line: {"call": 7, "do": "add", …} with {"call": 7, "value": …} or {"call": 7, "error": "…", "code": -1}. Only
// for tests/interop/bullmq.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <memory>

#include "queue/bullmq/events.hpp"
#include "queue/bullmq/flow.hpp"
#include "queue/bullmq/job_scheduler.hpp"
#include "queue/bullmq/worker.hpp"

namespace buildplan::queue::bullmq::peer {

namespace bj = boost::json;

struct Peer {
    Loop& loop;
    std::unique_ptr<redis::Client> client;
    std::map<std::int64_t, std::unique_ptr<Worker>> workers;
    std::int64_t last_worker = 0;
};

using Operation = task<bj::value> (*)(Peer& peer, bj::object const& call);
// By what a call says to `do`.
std::map<std::string_view, Operation> const& operations();

void say(bj::object const& line);

// Reading of calls.
std::string text(bj::object const& call, std::string_view key, std::string_view otherwise = "");
std::int64_t integer(bj::object const& call, std::string_view key, std::int64_t otherwise = 0);
bool truth(bj::object const& call, std::string_view key);
Queue queue_of(Peer& peer, bj::object const& call);
NewJob new_job(bj::object const& job);
JobOptions options_of(bj::object const& job, std::string_view key = "opts");
bj::value show(Job const& job);
bj::array show(std::vector<std::string> const& texts);

// What the tests' jobs do is written in their data; processor.mjs reads it the same way.
task<Result> process(Run& run);

}  // namespace buildplan::queue::bullmq::peer
