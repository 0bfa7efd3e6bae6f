#include "cni/json.h"

#include <cstdint>

namespace nsm::cni {
namespace {

constexpr std::size_t kMaxKeyBytes = 256;  // a longer key is none of ours
constexpr std::uint32_t kReplacement = 0xfffd;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Reads from the front of what is left. After a false nothing more must be read.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool is_at_end() { return blanks(), rest_.empty(); }

  // The bytes of one value, without the blanks round it.
  bool value(std::string_view& found, int depth) {
    blanks();
    const std::string_view from = rest_;
    if (rest_.empty() || depth > kMaxJsonDepth || !any(depth)) return false;
    found = {from.data(), from.size() - rest_.size()};
    return true;
  }

  bool take(char c) {
    blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool key(std::string_view& found) {
    blanks();
    const std::string_view from = rest_;
    if (!string()) return false;
    found = {from.data(), from.size() - rest_.size()};
    return take(':');
  }

 private:
  void blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  bool any(int depth) {
    switch (rest_.front()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool object(int depth) {
    take('{');
    if (take('}')) return true;
    std::string_view ignored;
    do {
      if (!key(ignored) || !value(ignored, depth + 1)) return false;
    } while (take(','));
    return take('}');
  }

  bool array(int depth) {
    take('[');
    if (take(']')) return true;
    std::string_view ignored;
    do {
      if (!value(ignored, depth + 1)) return false;
    } while (take(','));
    return take(']');
  }

  bool string() {
    if (!next_is('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20 || (c == '\\' && !escape())) return false;
    }
    return false;
  }

  bool escape() {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int digit = 0; digit < 4; ++digit) {
      if (rest_.empty() || hex_digit(rest_.front()) < 0) return false;
      rest_.remove_prefix(1);
    }
    return true;
  }

  bool word(std::string_view wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }

  bool number() {
    next_is('-');
    if (!next_is('0') && !digits()) return false;
    if (next_is('.') && !digits()) return false;
    if (!next_is('e') && !next_is('E')) return true;
    if (!next_is('+')) next_is('-');
    return digits();
  }

  bool digits() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
    return rest_.size() < before;
  }

  bool next_is(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

// The text inside of the quotes, one code unit after the other; the scanner has checked the escapes.
class Unescaper {
 public:
  Unescaper(std::string_view inside, std::span<char> room) : rest_(inside), room_(room) {}

  bool run() {
    while (!rest_.empty()) {
      const char c = next();
      if (c != '\\' ? !put(c) : !escaped()) return false;
    }
    return true;
  }
  std::size_t size() const { return size_; }

 private:
  char next() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  bool put(char c) {
    if (size_ == room_.size()) return false;
    room_[size_++] = c;
    return true;
  }

  bool escaped() {
    constexpr std::string_view kNames = "bfnrt", kMeanings = "\b\f\n\r\t";
    const char c = next();
    if (c == 'u') return put_utf8(code_point());
    const std::size_t at = kNames.find(c);
    return put(at == kNames.npos ? c : kMeanings[at]);
  }

  std::uint32_t unit() {
    std::uint32_t value = 0;
    for (int digit = 0; digit < 4; ++digit)
      value = value * 16 + static_cast<std::uint32_t>(hex_digit(next()));
    return value;
  }

  // A surrogate without its other half becomes the replacement character, as in Go.
  std::uint32_t code_point() {
    const std::uint32_t high = unit();
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || !rest_.starts_with("\\u")) return kReplacement;
    const std::string_view before = rest_;
    rest_.remove_prefix(2);
    const std::uint32_t low = unit();
    if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    rest_ = before;
    return kReplacement;
  }

  bool put_utf8(std::uint32_t code) {
    const auto tail = [code](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
    if (code < 0x80) return put(static_cast<char>(code));
    if (code < 0x800) return put(static_cast<char>(0xc0 | (code >> 6))) && put(tail(0));
    if (code < 0x10000) return put(static_cast<char>(0xe0 | (code >> 12))) && put(tail(6)) && put(tail(0));
    return put(static_cast<char>(0xf0 | (code >> 18))) && put(tail(12)) && put(tail(6)) && put(tail(0));
  }

  std::string_view rest_;
  std::span<char> room_;
  std::size_t size_ = 0;
};

}  // namespace

bool is_json(std::string_view text) {
  Scanner scanner(text);
  std::string_view ignored;
  return scanner.value(ignored, 1) && scanner.is_at_end();
}

std::string_view member(std::string_view object, std::string_view key) {
  Scanner scanner(object);
  std::string_view result, name, value;
  if (!scanner.take('{') || scanner.take('}')) return result;
  do {
    char room[kMaxKeyBytes];
    std::string_view decoded;
    if (!scanner.key(name) || !scanner.value(value, 1)) return {};
    if (decode(name, room, decoded) == Decoded::kText && decoded == key) result = value;
  } while (scanner.take(','));
  return result;
}

Decoded decode(std::string_view value, std::span<char> room, std::string_view& text) {
  if (value.size() < 2 || value.front() != '"') return Decoded::kNoString;
  value.remove_prefix(1);
  value.remove_suffix(1);
  Unescaper unescaper(value, room);
  if (!unescaper.run()) return Decoded::kTooLong;
  text = {room.data(), unescaper.size()};
  return Decoded::kText;
}

}  // namespace nsm::cni
