// The plugin's JSON reader: what it takes for JSON, and what it finds in it.
#include "cni/json.h"

#include <string>

#include "test/core/check.h"

namespace {

using namespace nsm::cni;

std::string decoded(std::string_view value) {
  char room[16];
  std::string_view text;
  return decode(value, room, text) == Decoded::kText ? std::string(text) : "-";
}

}  // namespace

TEST("every form of value is JSON") {
  for (const char* text : {"null", " true ", "false", "0", "-0.5e+3", "12E1", "\"\"", "\"\\u00e9\\n\"", "[]",
                           "{}", "[1, [2]]", "{\"a\" : {\"b\":[ ]} }"})
    CHECK(is_json(text));
}

TEST("what is not whole, or more than a value, is not") {
  for (const char* text : {"",        " ",        "nul",         "01",     "-",   "1.",   "1e",    ".5",
                           "\"",      "\"\\x\"",  "\"\\u00g0\"", "\"\n\"", "[",   "[1,]", "[1 2]", "{",
                           "{\"a\"}", "{\"a\":}", "{\"a\":1,}",  "{a:1}",  "1 2", "{}}",  "'a'"})
    CHECK(!is_json(text));
  const std::string whole = R"({"a":[1,{"b":"c\u00e9"}],"d":null})";
  for (std::size_t size = 0; size < whole.size(); ++size)
    CHECK(!is_json(std::string_view(whole).substr(0, size)));
}

TEST("the depth is bounded") {
  CHECK(is_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')));
  CHECK(!is_json(std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']')));
  CHECK(!is_json(std::string(1'000'000, '[')));
}

TEST("a member is found as it was written") {
  constexpr std::string_view kObject = R"( {"a": [1, 2] ,"b\u002fc":"x","a" : {"a": 3 }, "d":""} )";
  CHECK(member(kObject, "a") == R"({"a": 3 })");  // the last one
  CHECK(member(member(kObject, "a"), "a") == "3");
  CHECK(member(kObject, "b/c") == "\"x\"");
  CHECK(member(kObject, "d") == "\"\"");
  CHECK(member(kObject, "c").empty() && member("[1]", "a").empty() && member("{}", "a").empty());
  CHECK(member("", "a").empty());
}

TEST("strings are decoded as Go decodes them") {
  CHECK(decoded(R"("a\"\\\/\b\f\n\r\t")") == "a\"\\/\b\f\n\r\t");
  CHECK(decoded(R"("\u0041\u00e9\u20ac\ud83d\ude00")") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(decoded(R"("\ud83d\u0041")") ==
        "\xef\xbf\xbd"
        "A");
  CHECK(decoded(R"("\ude00x\ud83d")") == "\xef\xbf\xbdx\xef\xbf\xbd");
  CHECK(decoded("1") == "-" && decoded("{}") == "-" && decoded("\"\"").empty());
}

TEST("a string that does not fit is told") {
  char room[4];
  std::string_view text;
  CHECK(decode("\"1234\"", room, text) == Decoded::kText && text == "1234");
  CHECK(decode("\"12345\"", room, text) == Decoded::kTooLong);
  CHECK(decode(R"("12\u20ac")", room, text) == Decoded::kTooLong);
}
