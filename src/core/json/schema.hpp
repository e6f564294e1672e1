// JSON Schema 2020-12, which is what OpenAPI 3.1 takes, from the same descriptions that the codec reads and writes by.
// A struct that we read says `additionalProperties: false` and demands what decode() demands; a struct that we only
// write promises what encode() writes, and leaves room for fields that are added later.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

#include "core/json/describe.hpp"

namespace buildplan::json {

enum class Use : std::uint8_t { reading, writing };

// Collects the named types (structs and enums) of a document, each once, under the name of the C++ type without its
// namespace, or as Fields::named() says; `Page<Request>` is called RequestPage. Throws std::logic_error where two types
// have one name. A type that is used both ways is described as it is read.
class Schemas {
public:
    // `prefix` is where the definitions will stand in the document.
    explicit Schemas(std::string prefix = "#/components/schemas/") : prefix_(std::move(prefix)) {}

    // A schema for T that points at the definitions: {"$ref": "#/components/schemas/NewWorkspace"} for a named type.
    template <class T>
    boost::json::object ref(Use use) {
        return ref(type_of<T>(), use);
    }
    boost::json::object ref(Type const& type, Use use);

    // T's own schema in place of a reference to it.
    boost::json::object inlined(Type const& type, Use use);

    // All that was collected, by name.
    [[nodiscard]] boost::json::object definitions() const;

private:
    struct Definition {
        Type const* type;
        bool read = false;
        bool written = false;
    };

    void collect(Type const& type, Use use);
    void collect_inside(Type const& type, Use use);

    std::string prefix_;
    std::map<std::string, Definition> definitions_;
};

// One schema that stands alone: T's own, with what it points at under `$defs`.
boost::json::object schema(Type const& type, Use use = Use::reading);
template <class T>
boost::json::object schema(Use use = Use::reading) {
    return schema(type_of<T>(), use);
}

// The name that a struct or enum goes by in schemas.
std::string schema_name(Type const& type);

}  // namespace buildplan::json
