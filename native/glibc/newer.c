// What the C and C++ run times linked into our binaries ask of glibc beyond 2.28, in terms of what older ones have, so that
// a binary built on a new system runs on an old one (cmake/glibc.cmake). Seen by the binary it is linked into alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// 2.32: lets the C++ run time skip atomics before the first thread starts. Node always has threads.
char __libc_single_threaded = 0;

// 2.36
uint32_t arc4random(void) {
  uint32_t value;
  while (getrandom(&value, sizeof value, 0) != sizeof value) {
  }
  return value;
}

// 2.33; before, these were inlined into calls with a version number. On x86-64 the kernel's structure is glibc's.
int stat(const char* path, struct stat* result) { return (int)syscall(SYS_newfstatat, AT_FDCWD, path, result, 0); }
int lstat(const char* path, struct stat* result) { return (int)syscall(SYS_newfstatat, AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW); }
int fstat64(int file, struct stat64* result) { return (int)syscall(SYS_fstat, file, result); }

// 2.35: where the loaded object with this code keeps its unwind tables.
struct Search {
  uintptr_t code;
  struct dl_find_object* result;
};

static int look_into(struct dl_phdr_info* object, size_t size, void* context) {
  (void)size;
  const struct Search* search = context;
  void* tables = NULL;
  uintptr_t start = 0, end = 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)* part = &object->dlpi_phdr[i];
    const uintptr_t from = object->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_GNU_EH_FRAME) tables = (void*)from;
    if (part->p_type == PT_LOAD && search->code >= from && search->code < from + part->p_memsz) {
      start = from;
      end = from + part->p_memsz;
    }
  }
  if (!end || !tables) return 0;
  *search->result = (struct dl_find_object){.dlfo_map_start = (void*)start, .dlfo_map_end = (void*)end, .dlfo_eh_frame = tables};
  return 1;
}

int _dl_find_object(void* code, struct dl_find_object* result) {
  struct Search search = {(uintptr_t)code, result};
  return dl_iterate_phdr(look_into, &search) ? 0 : -1;
}
