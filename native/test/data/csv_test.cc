// The CSV parser's limits; its forms and errors are tested through the package (test/data/fer2013-csv.test.ts).
#include "data/csv.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

constexpr const char* kHeader = "emotion,pixels,Usage\n";

// A row of 8x8 pixels.
std::string row() {
  std::string text = "3,";
  for (int i = 0; i < 64; ++i) text += "7 ";
  text.back() = ',';
  return text + "Training\n";
}

std::string message_of(auto&& body) {
  try {
    body();
  } catch (const CsvError& error) {
    return error.what();
  }
  return "";
}

TEST(CsvTest, RefusesALineThatDoesNotEnd) {
  const std::string zeros(1 << 20, '\0');
  CsvParser parser(false);
  int pushed = 0;
  const std::string message = message_of([&] {
    for (; pushed < 10'000; ++pushed) parser.push(zeros);
  });
  EXPECT_EQ(message, "line 1: expected lines of at most 8388608 bytes, got a longer one");
  EXPECT_EQ(pushed, 8);
}

TEST(CsvTest, NamesTheLongLineWhereverItsChunksEnd) {
  const std::string all = kHeader + row() + std::string(CsvParser::kLongestLine + 1, '1') + "\n" + row();
  for (size_t chunk : {all.size(), size_t{1} << 20, size_t{999'983}}) {
    CsvParser parser(false);
    const std::string message = message_of([&] {
      for (size_t at = 0; at < all.size(); at += chunk) parser.push(std::string_view(all).substr(at, chunk));
    });
    EXPECT_EQ(message, "line 3: expected lines of at most 8388608 bytes, got a longer one") << chunk;
  }
}

TEST(CsvTest, SkipsALongLineAndGoesOnAfterIt) {
  const std::string all =
      kHeader + row() + std::string(3 * CsvParser::kLongestLine, '1') + "\n" + row() + std::string(CsvParser::kLongestLine + 1, '1');
  for (size_t chunk : {all.size(), size_t{1} << 20}) {
    CsvParser parser(true);
    for (size_t at = 0; at < all.size(); at += chunk) parser.push(std::string_view(all).substr(at, chunk));
    parser.finish();
    EXPECT_EQ(parser.labels.size(), 2u);
    ASSERT_EQ(parser.bad_rows.size(), 2u);
    EXPECT_EQ(parser.bad_rows[0].line, 3);
    EXPECT_EQ(parser.bad_rows[1].line, 5);
  }
}

TEST(CsvTest, StopsSkippingWhereNothingElseComes) {
  CsvParser parser(true);
  parser.push(kHeader);
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "x\n";
  const std::string message = message_of([&] {
    for (;;) parser.push(lines);
  });
  EXPECT_EQ(message, "line 1000002: more than 1000000 rows are malformed");
}

}  // namespace
}  // namespace fer
