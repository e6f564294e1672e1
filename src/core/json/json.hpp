// The JSON codec: described structs to and from JSON text. schema.hpp makes JSON Schema of the same structs.
#pragma once

#include "core/json/decode.hpp"
#include "core/json/encode.hpp"
#include "core/json/rules.hpp"
