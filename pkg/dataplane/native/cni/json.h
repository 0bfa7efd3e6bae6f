// A reader of JSON (RFC 8259) that needs no memory of its own: a value is a view into the text.
#pragma once

#include <span>
#include <string_view>

namespace nsm::cni {

inline constexpr int kMaxJsonDepth = 64;

// Whether `text` is one whole JSON value, nested at most kMaxJsonDepth deep.
bool is_json(std::string_view text);

// The value of `key` in the object `object`, a value of a text that is_json(). Empty: it is no object, or has
// no such key. Of a key that is given twice the last value counts, as in Go.
std::string_view member(std::string_view object, std::string_view key);

enum class Decoded { kText, kNoString, kTooLong };

// Decodes the string `value` into `room`, as UTF-8.
Decoded decode(std::string_view value, std::span<char> room, std::string_view& text);

}  // namespace nsm::cni
