// The precompiled header of the tests: that of the program, and what nearly every test adds to it. Nothing of ours.
#pragma once
#include "third_party_build/pch.hpp"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <future>
#include <ranges>
#include <set>
#include <sstream>
