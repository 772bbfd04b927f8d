# fer_old_glibc: linked into what is shipped, it lets a binary that GCC builds on a new system run on glibc 2.28 and later (x86-64).
#
# glibc 2.34 moved threads and dlopen into libc.so.6 under a new version, and 2.29 gave exp, log and pow one (they no longer
# call matherr); a linker takes the new ones where it can. So it is first shown libraries with the old names and the old version
# of each; at run time every glibc, old or new, answers to those. What is altogether newer is in native/glibc/newer.c.
function(fer_old_library soname versions)
  string(REGEX REPLACE "\\..*" "" name ${soname})
  set(source "")
  foreach(function ${ARGN})
    string(APPEND source "void ${function}(void) {}\n")
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/old/${name}.c CONTENT "${source}")
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/old/${name}.map CONTENT "${versions}\n")
  add_library(fer_old_${name} SHARED ${CMAKE_BINARY_DIR}/old/${name}.c)
  set_target_properties(fer_old_${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/old NO_SONAME ON)
  target_compile_options(fer_old_${name} PRIVATE -fno-builtin -fvisibility=default)
  target_link_options(fer_old_${name} PRIVATE -nostdlib -Wl,-soname,${soname} -Wl,--version-script,${CMAKE_BINARY_DIR}/old/${name}.map)
  target_link_libraries(fer_old_glibc INTERFACE fer_old_${name})
endfunction()

add_library(fer_old_glibc INTERFACE)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" AND NOT FER_SANITIZE AND NOT FER_ZIG)
  enable_language(C)
  add_library(fer_newer_glibc OBJECT native/glibc/newer.c)
  # Needed by static libraries that the linker reads later.
  target_link_options(fer_old_glibc INTERFACE -Wl,--no-as-needed)
  target_link_libraries(fer_old_glibc INTERFACE fer_newer_glibc $<TARGET_OBJECTS:fer_newer_glibc>)
  fer_old_library(libdl.so.2 "GLIBC_2.2.5 { *; }; GLIBC_2.3.4 { dlmopen; };" dladdr dlclose dlerror dlmopen dlopen dlsym dlvsym)
  fer_old_library(libm.so.6 "GLIBC_2.2.5 { *; };" exp log pow)
  fer_old_library(librt.so.1 "GLIBC_2.2.5 { *; };" shm_open shm_unlink)
  fer_old_library(libpthread.so.0 "GLIBC_2.2.5 { *; };"
    __pthread_key_create pthread_condattr_setpshared pthread_create pthread_detach pthread_getspecific pthread_join pthread_key_create
    pthread_key_delete pthread_kill pthread_mutex_trylock pthread_mutexattr_destroy pthread_mutexattr_init pthread_mutexattr_setpshared
    pthread_mutexattr_settype pthread_once pthread_rwlock_destroy pthread_rwlock_init pthread_rwlock_rdlock pthread_rwlock_timedrdlock
    pthread_rwlock_timedwrlock pthread_rwlock_tryrdlock pthread_rwlock_trywrlock pthread_rwlock_unlock pthread_rwlock_wrlock
    pthread_rwlockattr_destroy pthread_rwlockattr_init pthread_rwlockattr_setpshared pthread_setspecific sem_destroy sem_init sem_post
    sem_timedwait sem_trywait sem_wait)
endif()
