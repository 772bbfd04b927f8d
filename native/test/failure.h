// What a body throws, as the tests of errors compare it.
#pragma once
#include <functional>
#include <string>

#include "base/error.h"

namespace fer {

// "CODE: message" of an Error.
inline std::string failure_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code() + ": " + error.what();
  }
  return "nothing was thrown";
}

}  // namespace fer
