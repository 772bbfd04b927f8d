// Gives files, or all files of folders, to the target it is linked with: the corpus as tests, with any compiler.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "test/fuzz/input.h"

namespace {

void replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  std::fprintf(stderr, "%s\n", file.c_str());  // the last line is the input that ended the process
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int count, char** names) {
  for (int i = 1; i < count; ++i) {
    if (!std::filesystem::is_directory(names[i])) replay(names[i]);
    else
      for (const auto& entry : std::filesystem::directory_iterator(names[i])) replay(entry.path());
  }
}
