// Files and folders as a program needs them that may be killed at any moment: written whole or not at all, given to
// the server's user without following what that user could put in the way. Failures are OperatorErrors that name the
// path; a full disk is told as such.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/operator_error.hpp"
#include "local/server_user.hpp"

namespace buildplan::local {

// The content, cut at `most` bytes; nothing when it cannot be read.
std::optional<std::string> read_file(std::filesystem::path const& path, std::size_t most);
// What was appended to `path` after its first `offset` bytes; its last `most` bytes at most. "" when unreadable.
std::string read_from(std::filesystem::path const& path, std::uint64_t offset, std::size_t most);
std::uint64_t size_or_zero(std::filesystem::path const& path) noexcept;

// Replaces `path` by a file with that content: temporary name, fsync (unless not `durable`), rename, fsync of the
// folder.
void write_whole(std::filesystem::path const& path, std::string_view content, mode_t mode,
                 std::optional<ServerUser> const& owner = {}, bool durable = true);

// Makes the folder when it is not there; then owner and mode are what is asked for. A symbolic link is refused.
void make_folder(std::filesystem::path const& path, mode_t mode, std::optional<ServerUser> const& owner = {});
// The same with our user and the group `group`, which the server may be in.
void make_shared_folder(std::filesystem::path const& path, mode_t mode, gid_t group);
void remove_folder(std::filesystem::path const& path);
void sync_folder(std::filesystem::path const& path);

std::uint64_t free_bytes(std::filesystem::path const& path);
// Throws when less than `minimum` bytes are free on the disk of `path`.
void require_free(std::filesystem::path const& path, std::uint64_t minimum);

OperatorError disk_full(std::filesystem::path const& path);
// The right error for `error` (an errno) of doing something with `path`: "cannot be written".
OperatorError file_error(std::filesystem::path const& path, std::string_view what, int error);

}  // namespace buildplan::local
