// Memory of the calling thread for operands on their way into a product: kept between calls, grown on demand.
#pragma once
#include <cstddef>

namespace fer::cpu {

enum class Room { kLeft, kRight, kPanels };

// On a cache line. What was in it is lost where it grows.
void* thread_room(Room room, size_t bytes);

}  // namespace fer::cpu
