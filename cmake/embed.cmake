# embed(TARGET NAME FILES...): puts files into the program. `embedded/NAME.hpp` then declares
# `std::span<EmbeddedFile const> buildplan::embedded::NAME()`, in the order of the file names.
# Run as a script (cmake -P, with -DOUT=, -DNAME= and -DFILES=) it writes the .cpp.
if(CMAKE_SCRIPT_MODE_FILE)
  separate_arguments(FILES UNIX_COMMAND "${FILES}")
  file(WRITE "${OUT}.new" "#include \"embedded/${NAME}.hpp\"\n\n#pragma clang diagnostic ignored \"-Woverlength-strings\"\n\n"
    "namespace buildplan::embedded {\nnamespace {\n\nconstexpr EmbeddedFile files[] = {\n")
  foreach(path IN LISTS FILES)
    get_filename_component(file_name "${path}" NAME)
    file(READ "${path}" text)
    file(APPEND "${OUT}.new" "    {\"${file_name}\", R\"embedded~(${text})embedded~\"},\n")
  endforeach()
  file(APPEND "${OUT}.new" "};\n\n}  // namespace\n\nstd::span<EmbeddedFile const> ${NAME}() { return files; }\n\n"
    "}  // namespace buildplan::embedded\n")
  file(RENAME "${OUT}.new" "${OUT}")
  return()
endif()

set(embed_script ${CMAKE_CURRENT_LIST_FILE})
function(embed target name)
  set(folder ${CMAKE_BINARY_DIR}/generated/embedded)
  file(CONFIGURE OUTPUT ${folder}/${name}.hpp @ONLY CONTENT "#pragma once

#include <span>

#include \"core/embedded_file.hpp\"

namespace buildplan::embedded {

std::span<EmbeddedFile const> @name@();

}  // namespace buildplan::embedded
")
  list(JOIN ARGN "\" \"" files)
  add_custom_command(
    OUTPUT ${folder}/${name}.cpp
    COMMAND ${CMAKE_COMMAND} -DOUT=${folder}/${name}.cpp -DNAME=${name} "-DFILES=\"${files}\"" -P ${embed_script}
    DEPENDS ${ARGN} ${embed_script}
    COMMENT "Embedding ${name}"
    VERBATIM)
  target_sources(${target} PRIVATE ${folder}/${name}.cpp)
endfunction()
