// The one exception type of the native core: a literal code and a sentence for the person who must act.
#pragma once
#include <stdexcept>
#include <string>

namespace fer {

class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

}  // namespace fer
