#include "queue/bullmq/runner.hpp"

namespace buildplan::queue::bullmq {

task<> Run::progress(std::string json) {
    auto here = queue();
    job_.progress = json;
    co_await here.update_progress(job_.id, std::move(json));
}

task<std::int64_t> Run::log(std::string line) {
    auto here = queue();
    co_return co_await here.log(job_.id, std::move(line), options_.keep_logs.value_or(0));
}

task<> Run::update_data(std::string json) {
    auto here = queue();
    job_.data = json;
    co_await here.update_data(job_.id, std::move(json));
}

task<bool> Run::wait_for_children() {
    auto command = wait_for_children_command(*keys_, job_.id, claim_.token, moment_now());
    auto const reply = co_await client_->command(std::move(command));
    require_done(reply, "setting aside", job_.id);
    co_return reply.as_integer() == 0;
}

task<std::vector<std::pair<std::string, std::string>>> Run::children_values() {
    auto reply = co_await client_->command("HGETALL", keys_->job(job_.id, "processed"));
    std::vector<std::pair<std::string, std::string>> values;
    auto& items = reply.items();
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
        values.emplace_back(items[i].take_text(), items[i + 1].take_text());
    co_return values;
}

void Run::cancel(std::string reason, AfterCancel after) {
    if (cancelled_) return;
    cancelled_ = true;
    after_ = after;
    reason_ = std::move(reason);
    signal_.emit(asio::cancellation_type::terminal);
}

task<Result> answer_ping(Run& run) {
    if (run.job().name == "ping") co_return Completed{R"({"pong":true})"};
    throw Unrecoverable("nobody knows what a job called " + run.job().name + " is");
}

}  // namespace buildplan::queue::bullmq
