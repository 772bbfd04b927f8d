// Streaming parser of FER2013's CSV forms: columns emotion, pixels and Usage in any order, spaces allowed in the header.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fer {

struct BadRow {
  int64_t line;  // one-based
  std::string reason;
};

class CsvError : public Error {
 public:
  explicit CsvError(BadRow row) : Error("ERR_FER_DATA_FORMAT", "line " + std::to_string(row.line) + ": " + row.reason), row(std::move(row)) {}
  const BadRow row;
};

class CsvParser {
 public:
  explicit CsvParser(bool skip_bad_rows) : skip_bad_rows_(skip_bad_rows) {}

  // The longest line, bytes: an image of 1448x1448. What has no line ends is not held in memory.
  static constexpr size_t kLongestLine = size_t{1} << 23;
  // The most rows that are skipped: a file of nothing else is no data set.
  static constexpr size_t kMostBadRows = 1'000'000;

  // Feeds the next bytes of the file. Throws CsvError on a bad header, and on a bad row unless skipping.
  void push(std::string_view chunk);
  // Ends the file: parses a last line without a newline, throws CsvError for an empty file or one without a good row.
  void finish();

  int size() const { return size_; }
  std::vector<uint8_t> images, labels, splits;  // splits: 0 Training, 1 PublicTest, 2 PrivateTest
  std::vector<BadRow> bad_rows;

 private:
  // Adds to the line whose end has not come yet.
  void hold(std::string_view piece);
  void end_line();
  void line(std::string_view text);
  // Throws, or lists the row where bad ones are skipped.
  void bad_row(std::string reason);
  void header(std::string_view text);
  void row(std::string_view text);
  // Appends the pixels to `images`; returns the reason why not, or an empty string.
  std::string pixels(std::string_view field);

  bool skip_bad_rows_;
  bool has_header_ = false;
  int emotion_ = -1, pixels_ = -1, usage_ = -1, columns_ = 0;
  int size_ = 0;
  int64_t line_number_ = 0;
  std::string partial_;
  bool too_long_ = false;  // the rest of this line is dropped
};

}  // namespace fer
