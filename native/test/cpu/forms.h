// Every table of CPU kernels that runs on this machine: all instruction sets it has, in both precisions, and the bf16 products with
// their instructions worked out in software.
#pragma once
#include <ostream>
#include <string>
#include <vector>

#include "cpu/kernels.h"

namespace fer::cpu {

struct Form {
  std::string name;  // as tests are called
  const Kernels* kernels;
  bool bf16;
};
inline std::ostream& operator<<(std::ostream& out, const Form& form) { return out << form.name; }
std::vector<Form> forms();

// Those of them whose instructions this architecture may lack, worked out in software. In architecture/.
std::vector<Form> software_forms();

}  // namespace fer::cpu
