#include "data/csv.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace fer {
namespace {

constexpr std::array<std::string_view, 3> kUsages = {"Training", "PublicTest", "PrivateTest"};
constexpr int kClasses = 7, kMaxColumns = 64;
constexpr unsigned kNoNumber = 1'000'000;

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// What a message shows of a field: short, and on one line.
std::string shown(std::string_view field) {
  std::string text(field.substr(0, 24));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 32) c = '?';
  return '"' + text + (field.size() > 24 ? "...\"" : "\"");
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return (x | 32) == (y | 32); });
}

// Splits at commas; FER2013 has none inside a field. Returns how many fields there are; those beyond the last place are only counted.
int split(std::string_view text, std::array<std::string_view, kMaxColumns>& fields) {
  int count = 0;
  for (size_t begin = 0;; ++count) {
    const size_t comma = text.find(',', begin);
    if (count < kMaxColumns) fields[count] = trim(text.substr(begin, comma - begin));
    if (comma == std::string_view::npos) break;
    begin = comma + 1;
  }
  return count + 1;
}

}  // namespace

void CsvParser::push(std::string_view chunk) {
  for (;;) {
    const size_t end = chunk.find('\n');
    if (end == std::string_view::npos) break;
    if (partial_.empty() && !too_long_ && end <= kLongestLine) {
      line(chunk.substr(0, end));
    } else {
      hold(chunk.substr(0, end));
      end_line();
    }
    chunk.remove_prefix(end + 1);
  }
  hold(chunk);
}

void CsvParser::hold(std::string_view piece) {
  if (too_long_) return;
  if (partial_.size() + piece.size() <= kLongestLine) {
    partial_.append(piece);
    return;
  }
  partial_.clear();
  too_long_ = true;
  ++line_number_;
  const std::string reason = "expected lines of at most " + std::to_string(kLongestLine) + " bytes, got a longer one";
  if (!has_header_) throw CsvError({line_number_, reason});
  bad_row(reason);
}

void CsvParser::end_line() {
  if (!too_long_) line(partial_);
  partial_.clear();
  too_long_ = false;
}

void CsvParser::bad_row(std::string reason) {
  if (!skip_bad_rows_) throw CsvError({line_number_, std::move(reason)});
  if (bad_rows.size() == kMostBadRows) throw CsvError({line_number_, "more than " + std::to_string(kMostBadRows) + " rows are malformed"});
  bad_rows.push_back({line_number_, std::move(reason)});
}

void CsvParser::finish() {
  if (!partial_.empty() || too_long_) end_line();
  if (!has_header_) throw CsvError({1, "the file is empty; expected the header emotion,pixels,Usage"});
  if (labels.empty()) throw CsvError({line_number_, "the file has no good row"});
}

void CsvParser::line(std::string_view text) {
  ++line_number_;
  if (line_number_ == 1 && text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
  if (trim(text).empty()) return;
  if (!has_header_) header(text);
  else row(text);
}

void CsvParser::header(std::string_view text) {
  std::array<std::string_view, kMaxColumns> names;
  columns_ = split(text, names);
  const int known = std::min(columns_, kMaxColumns);
  for (int i = 0; i < known; ++i) {
    if (same_word(names[i], "emotion")) emotion_ = i;
    else if (same_word(names[i], "pixels")) pixels_ = i;
    else if (same_word(names[i], "usage")) usage_ = i;
  }
  // Files beside FER2013's that are often taken for it.
  std::string advice;
  if (columns_ == 1 && pixels_ >= 0) advice = "; Kaggle's test.csv has no labels: take train.csv, fer2013.csv or icml_face_data.csv";
  else if (std::any_of(names.begin(), names.begin() + known, [](auto name) { return same_word(name, "Image name"); }))
    advice = "; FER+'s fer2013new.csv has votes and no pixels: put fer2013.csv beside it";
  // Kaggle's train.csv has no Usage: all of it is to learn from.
  for (auto [name, at] : {std::pair{"emotion", emotion_}, std::pair{"pixels", pixels_}})
    if (at < 0)
      throw CsvError({line_number_, "expected the columns emotion, pixels and Usage; " + std::string(name) + " is missing from the header " +
                                        shown(trim(text)) + advice});
  has_header_ = true;
}

void CsvParser::row(std::string_view text) {
  std::array<std::string_view, kMaxColumns> fields;
  const int count = split(text, fields);
  std::string reason;
  int label = -1;
  size_t split_index = 0;
  if (count != columns_) {
    reason = "expected " + std::to_string(columns_) + " columns, got " + std::to_string(count);
  } else {
    const std::string_view emotion = fields[emotion_], usage = usage_ < 0 ? kUsages[0] : fields[usage_];
    const auto [end, error] = std::from_chars(emotion.data(), emotion.data() + emotion.size(), label);
    if (error != std::errc{} || end != emotion.data() + emotion.size() || label < 0 || label >= kClasses)
      reason = "expected an emotion of 0 to 6, got " + shown(emotion);
    split_index = std::find(kUsages.begin(), kUsages.end(), usage) - kUsages.begin();
    if (reason.empty() && split_index == kUsages.size()) reason = "expected Usage Training, PublicTest or PrivateTest, got " + shown(usage);
    if (reason.empty()) reason = pixels(fields[pixels_]);
  }
  if (!reason.empty()) {
    bad_row(std::move(reason));
    return;
  }
  labels.push_back(static_cast<uint8_t>(label));
  splits.push_back(static_cast<uint8_t>(split_index));
}

std::string CsvParser::pixels(std::string_view field) {
  const size_t before = images.size();
  const size_t expected = static_cast<size_t>(size_) * size_;
  images.resize(before + field.size() / 2 + 1);  // a pixel takes two bytes at least, but for the last
  uint8_t* out = images.data() + before;
  const char *p = field.data(), *end = p + field.size();
  std::string reason;
  while (p < end) {
    const char* begin = p;
    unsigned value = 0;
    do {
      const unsigned digit = static_cast<unsigned char>(*p++) - unsigned{'0'};
      value = digit > 9 ? kNoNumber : value * 10 + digit;
    } while (value < kNoNumber && p < end && *p != ' ');
    if (value > 255) {
      while (p < end && *p != ' ') ++p;
      reason = "expected pixels of 0 to 255, got " + shown({begin, static_cast<size_t>(p - begin)}) + " as number " +
               std::to_string(out - images.data() - before + 1);
      break;
    }
    *out++ = static_cast<uint8_t>(value);
    while (p < end && *p == ' ') ++p;
  }
  const size_t count = out - images.data() - before;
  if (reason.empty() && size_ == 0) {
    const int side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(count))));
    if (side < 8 || static_cast<size_t>(side) * side != count)
      reason = "expected a square number of pixels (2304 for 48x48), got " + std::to_string(count);
    else size_ = side;
  } else if (reason.empty() && count != expected) {
    reason = "expected " + std::to_string(expected) + " pixels, got " + std::to_string(count);
  }
  images.resize(reason.empty() ? before + count : before);
  return reason;
}

}  // namespace fer
