#include "test/cpu/forms.h"

namespace fer::cpu {

std::vector<Form> software_forms() { return {}; }

}  // namespace fer::cpu
