// Entries of the audit log as files: JSON lines, each as the API shows it, or CSV (RFC 4180). A cell that a spreadsheet
// would read as a formula (it begins with = + - @ or a control character) is given an apostrophe in front.
#pragma once

#include <string>
#include <string_view>

#include "features/audit/types.hpp"

namespace buildplan::audit {

// What an export begins with; empty for JSON lines.
std::string_view export_head(ExportFormat format) noexcept;
void append_to_export(std::string& out, ExportFormat format, AuditEntry const& entry);

}  // namespace buildplan::audit
