// A minimal JSON reader for test vectors; it expects well-formed files.
#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace nsm::test {

struct Json {
  std::string text;  // the value of a string; the literal of a number, true, false or null
  std::vector<Json> items;
  std::map<std::string, Json> fields;

  const Json& operator[](const std::string& name) const {
    static const Json none;
    const auto found = fields.find(name);
    return found == fields.end() ? none : found->second;
  }
  long number() const { return std::strtol(text.c_str(), nullptr, 10); }
};

class JsonReader {
 public:
  explicit JsonReader(std::string input) : in_(std::move(input)) {}

  Json value() {
    switch (peek()) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return {string(), {}, {}};
      default:
        return {literal(), {}, {}};
    }
  }

 private:
  char peek() {
    while (at_ < in_.size() && std::isspace(static_cast<unsigned char>(in_[at_]))) at_++;
    return at_ < in_.size() ? in_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    at_++;
    return true;
  }
  std::string string() {
    std::string out;
    take('"');
    while (at_ < in_.size() && in_[at_] != '"') {
      if (in_[at_] == '\\') at_++;  // escapes occur only in comments of the vectors
      out += in_[at_++];
    }
    take('"');
    return out;
  }
  std::string literal() {
    std::string out;
    while (at_ < in_.size() && std::string(",]} \n\r\t").find(in_[at_]) == std::string::npos)
      out += in_[at_++];
    return out;
  }
  Json array() {
    Json out;
    take('[');
    while (peek() != ']' && peek() != '\0') {
      out.items.push_back(value());
      take(',');
    }
    take(']');
    return out;
  }
  Json object() {
    Json out;
    take('{');
    while (peek() == '"') {
      const std::string name = string();
      take(':');
      out.fields[name] = value();
      take(',');
    }
    take('}');
    return out;
  }

  std::string in_;
  std::size_t at_ = 0;
};

}  // namespace nsm::test
