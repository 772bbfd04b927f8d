#include "cpu/thread_room.h"

#include "cpu/memory.h"

namespace fer::cpu {

void* thread_room(Room room, size_t bytes) {
  struct Piece {
    Floats memory;
    size_t bytes = 0;
  };
  thread_local Piece pieces[3];
  Piece& piece = pieces[static_cast<int>(room)];
  if (piece.bytes < bytes) {
    piece.memory.reset();
    piece.memory = make_floats((bytes + sizeof(float) - 1) / sizeof(float));
    piece.bytes = bytes;
  }
  return piece.memory.get();
}

}  // namespace fer::cpu
