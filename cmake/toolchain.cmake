# Language, warnings, sanitizers, linker: one place for what every target of ours is compiled with.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "BuildPlan needs clang 19 or newer: GCC 12 destroys temporaries twice inside co_await expressions. Run script/setup.")
endif()

add_link_options(-fuse-ld=lld)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -gline-tables-only -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -gline-tables-only -fno-omit-frame-pointer")

# ccache and a precompiled header agree only when the header does not carry its own time stamp.
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")

if(BUILDPLAN_SANITIZE)
  add_compile_options(-fsanitize=${BUILDPLAN_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BUILDPLAN_SANITIZE})
endif()
if(BUILDPLAN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

set(buildplan_warnings -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wimplicit-fallthrough -Wextra-semi -Wunused -Werror)

# What is ours gets the warnings; third-party translation units do not.
function(buildplan_target target)
  target_compile_options(${target} PRIVATE ${buildplan_warnings})
endfunction()
