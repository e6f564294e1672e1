include(embed)

# floor(NAME [LOWER FLOORS...]): the static library buildplan_NAME of src/NAME, and beside it the test program
# NAME_test of its *_test.cpp files; test_*.cpp beside them is what tests of this floor and of those above it share. New
# files are picked up; no list to edit.
function(floor name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "(_test|/test_[^/]*)\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|/test_[^/]*|/commands/main)\\.cpp$")
  if(NOT sources)
    file(WRITE ${CMAKE_BINARY_DIR}/empty_${name}.cpp "")
    set(sources ${CMAKE_BINARY_DIR}/empty_${name}.cpp)
  endif()
  set(target buildplan_${name})
  add_library(${target} STATIC ${sources})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(${target} PUBLIC third_party_headers)
  foreach(lower IN LISTS ARGN)
    target_link_libraries(${target} PUBLIC buildplan_${lower})
  endforeach()
  floor_libraries(${name} ${target})
  target_precompile_headers(${target} REUSE_FROM third_party_build)
  buildplan_target(${target})
  set_property(GLOBAL APPEND PROPERTY buildplan_floors ${name})
  if(BUILDPLAN_TESTS AND tests)
    set_property(GLOBAL PROPERTY buildplan_tests_${name} "${tests}")
    set_property(GLOBAL APPEND PROPERTY buildplan_tested_floors ${name})
  endif()
endfunction()

# The outside libraries that one floor alone may use.
function(floor_libraries name target)
  if(name STREQUAL core)
    target_link_libraries(${target} PUBLIC third_party_build PRIVATE OpenSSL::Crypto yaml-cpp)
  elseif(name STREQUAL postgres)
    target_link_libraries(${target} PRIVATE PostgreSQL::PostgreSQL)
    file(GLOB migrations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/migrations/*.sql)
    embed(${target} migrations ${migrations})
  elseif(name STREQUAL redis)
    target_link_libraries(${target} PRIVATE OpenSSL::Crypto)
  elseif(name STREQUAL net)
    target_link_libraries(${target} PRIVATE CURL::libcurl ZLIB::ZLIB)
  elseif(name STREQUAL features)
    target_link_libraries(${target} PRIVATE ${SODIUM})
    set(passwords ${CMAKE_BINARY_DIR}/generated/common_passwords.txt)
    set(lister ${CMAKE_SOURCE_DIR}/cmake/common_passwords.sh)
    add_custom_command(
      OUTPUT ${passwords}
      COMMAND ${lister} ${PASSWORD_FREQUENCIES} ${passwords}
      DEPENDS ${PASSWORD_FREQUENCIES} ${lister}
      COMMENT "Listing common passwords"
      VERBATIM)
    embed(${target} passwords ${passwords})
  elseif(name STREQUAL commands)
    target_link_libraries(${target} PUBLIC CLI11::CLI11)
    target_compile_definitions(${target} PUBLIC BUILDPLAN_VERSION="${PROJECT_VERSION}")
  endif()
endfunction()
