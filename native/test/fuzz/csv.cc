// The CSV parser beside a reference that is written for plainness alone: the whole file at once, a line and a field at a time. The
// result is the same however the bytes arrive, and never takes more memory than a small multiple of the file.
#include "data/csv.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/philox.h"
#include "test/fuzz/input.h"

namespace fer::fuzz {
namespace {

struct Outcome {
  int64_t failed = 0;  // the line of the error that ended the parsing; 0: none
  int size = 0;
  std::vector<uint8_t> images, labels, splits;
  std::vector<int64_t> bad_lines;

  bool operator==(const Outcome&) const = default;
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

std::string trimmed(const std::string& text) {
  const char* blanks = " \t\r\"";
  const size_t first = text.find_first_not_of(blanks);
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// A whole number of decimal digits, however many zeros it begins with; nothing where it is none or above `most`.
std::optional<int> number(const std::string& text, int most) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + (c - '0'), most + 1);
  }
  if (text.empty() || value > most) return std::nullopt;
  return value;
}

class Reference {
 public:
  Reference(const std::string& text, bool skips) : skips_(skips) {
    std::vector<std::string> lines = split(text, '\n');
    if (lines.back().empty()) lines.pop_back();
    if (!lines.empty() && lines[0].rfind("\xef\xbb\xbf", 0) == 0) lines[0].erase(0, 3);
    for (int64_t number = 1; number <= static_cast<int64_t>(lines.size()) && !out_.failed; ++number) line(lines[number - 1], number);
    if (!out_.failed && names_.empty()) out_.failed = 1;
    if (!out_.failed && out_.labels.empty()) out_.failed = static_cast<int64_t>(lines.size());
  }

  const Outcome& outcome() const { return out_; }

 private:
  int column(const std::string& name) const {
    for (size_t i = std::min<size_t>(names_.size(), 64); i-- > 0;) {  // columns further on are not looked for
      std::string lower = names_[i];
      for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
      if (lower == name) return static_cast<int>(i);
    }
    return -1;
  }

  void line(const std::string& text, int64_t number) {
    if (trimmed(text).empty()) return;
    std::vector<std::string> fields = split(text, ',');
    for (std::string& field : fields) field = trimmed(field);
    if (names_.empty()) {
      names_ = fields;
      if (column("emotion") < 0 || column("pixels") < 0) out_.failed = number;
    } else if (!row(fields)) {
      if (skips_) out_.bad_lines.push_back(number);
      else out_.failed = number;
    }
  }

  bool row(const std::vector<std::string>& fields) {
    if (fields.size() != names_.size()) return false;
    std::string emotion = fields[column("emotion")];
    const bool negative = emotion.rfind('-', 0) == 0;
    const std::optional<int> label = number(negative ? emotion.substr(1) : emotion, negative ? 0 : 6);
    const std::vector<std::string> usages = {"Training", "PublicTest", "PrivateTest"};
    const int at = column("usage");  // without it all is to learn from
    const auto usage = at < 0 ? usages.begin() : std::find(usages.begin(), usages.end(), fields[at]);
    if (!label || usage == usages.end()) return false;
    std::vector<uint8_t> pixels;
    for (const std::string& word : split(fields[column("pixels")], ' ')) {
      if (word.empty()) continue;
      const std::optional<int> pixel = number(word, 255);
      if (!pixel) return false;
      pixels.push_back(static_cast<uint8_t>(*pixel));
    }
    int side = 8;
    while (static_cast<size_t>(side) * side < pixels.size()) ++side;
    if (static_cast<size_t>(side) * side != pixels.size() || (out_.size != 0 && out_.size != side)) return false;
    out_.size = side;
    out_.images.insert(out_.images.end(), pixels.begin(), pixels.end());
    out_.labels.push_back(static_cast<uint8_t>(*label));
    out_.splits.push_back(static_cast<uint8_t>(usage - usages.begin()));
    return true;
  }

  bool skips_;
  std::vector<std::string> names_;
  Outcome out_;
};

// The parser's outcome, its bytes given in chunks of up to `longest` (0: at once); `message` of the error that ended it.
Outcome parsed(std::string_view text, bool skips, uint64_t seed, size_t longest, std::string& message) {
  CsvParser parser(skips);
  Outcome outcome;
  try {
    for (uint32_t i = 0; !text.empty() && longest > 0; ++i) {
      // Each chunk in memory of its own: a read beyond it is seen.
      const std::string chunk(text.substr(0, 1 + philox(seed, {i, 0, 0, 0})[0] % longest));
      parser.push(chunk);
      text.remove_prefix(chunk.size());
    }
    parser.push(text);
    parser.finish();
  } catch (const CsvError& error) {
    must(error.code() == "ERR_FER_DATA_FORMAT", "the error is of the data's format");
    outcome.failed = error.row.line;
    message = error.what();
  }
  must(parser.images.size() == parser.labels.size() * parser.size() * parser.size(), "there are as many pixels as the labels ask for");
  outcome.size = parser.size();
  outcome.images = parser.images;
  outcome.labels = parser.labels;
  outcome.splits = parser.splits;
  for (const BadRow& row : parser.bad_rows) outcome.bad_lines.push_back(row.line);
  return outcome;
}

}  // namespace
}  // namespace fer::fuzz

// The first byte: whether bad rows are skipped, and how the bytes are cut; the rest: the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fer::fuzz;
  Input input(data, size);
  const auto kind = input.any<uint8_t>();
  const bool skips = kind & 1;
  const std::string_view text = input.rest();
  std::string at_once, in_chunks;
  const Outcome outcome = parsed(text, skips, 0, 0, at_once);
  must(outcome == parsed(text, skips, kind, size_t{1} << (kind >> 1) % 8, in_chunks), "the result does not depend on the chunks");
  must(at_once == in_chunks, "nor does the message");
  must(outcome.images.size() <= text.size(), "a pixel takes a byte of the file at least");
  must(outcome == Reference(std::string(text), skips).outcome(), "the reference finds the same");
  return 0;
}
