#include "features/audit/export.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/json/serialize.hpp>

#include "core/json/encode.hpp"
#include "core/text.hpp"

namespace buildplan::audit {
namespace {

void append_cell(std::string& out, std::string_view text) {
    bool const formula =
        !text.empty() && (std::string_view{"=+-@"}.contains(text[0]) || static_cast<unsigned char>(text[0]) < 0x20);
    bool const quoted = formula || text.find_first_of(",\"\r\n") != std::string_view::npos;
    if (!quoted) {
        out += text;
        return;
    }
    out += '"';
    if (formula) out += '\'';
    for (char const c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void append_cell(std::string& out, std::optional<std::string> const& text) {
    if (text) append_cell(out, std::string_view{*text});
}

void append_cell(std::string& out, std::optional<boost::json::value> const& json) {
    if (json) append_cell(out, std::string_view{boost::json::serialize(*json)});
}

void append_row(std::string& out, AuditEntry const& entry) {
    out += std::to_string(entry.seq);
    out += ',';
    append_rfc3339(out, entry.at);
    out += ',';
    out += boost::describe::enum_to_string(entry.actor.kind, "");
    out += ',';
    if (entry.actor.id) out += entry.actor.id->to_string();
    out += ',';
    append_cell(out, entry.actor.name);
    out += ',';
    append_cell(out, std::string_view{entry.action});
    out += ',';
    append_cell(out, std::string_view{entry.target.kind});
    out += ',';
    append_cell(out, entry.target.id);
    out += ',';
    append_cell(out, entry.before);
    out += ',';
    append_cell(out, entry.after);
    out += ',';
    append_cell(out, entry.address);
    out += ',';
    append_cell(out, entry.request_id);
    out += ',';
    out += entry.id.to_string();
    out += ',';
    out += entry.hash;
    out += "\r\n";
}

}  // namespace

std::string_view export_head(ExportFormat format) noexcept {
    if (format == ExportFormat::jsonl) return {};
    return "seq,at,actorKind,actorId,actorName,action,targetKind,targetId,before,after,address,requestId,id,hash\r\n";
}

void append_to_export(std::string& out, ExportFormat format, AuditEntry const& entry) {
    if (format == ExportFormat::csv) return append_row(out, entry);
    json::append(out, entry);
    out += '\n';
}

}  // namespace buildplan::audit
