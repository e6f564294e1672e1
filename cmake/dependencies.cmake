# Every library from outside, as one imported interface each. docs/dependencies.md says why it is here.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(date REQUIRED)
find_library(SODIUM sodium REQUIRED)
# Of Debian's python3-zxcvbn: a text to be read, nothing runs it.
find_file(PASSWORD_FREQUENCIES frequency_lists.py PATHS /usr/lib/python3/dist-packages/zxcvbn NO_DEFAULT_PATH REQUIRED)

add_library(third_party_headers INTERFACE)
target_include_directories(third_party_headers SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
# Compiled once, in src/third_party_build.
target_compile_definitions(third_party_headers INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_JSON_NO_LIB BOOST_URL_NO_LIB
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY)
target_link_libraries(third_party_headers INTERFACE fmt::fmt Threads::Threads)
