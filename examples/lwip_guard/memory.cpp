// SPDX-License-Identifier: BSL-1.0
// These four functions take the place of the shared library's own (the dynamic linker looks in the program first).
#include "memory.hpp"

#include <dlfcn.h>
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>

namespace lwip_guard {

lwip_memory memory;

namespace {
template <class F>
F library(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}
}  // namespace

}  // namespace lwip_guard

using lwip_guard::memory;

extern "C" void* memp_malloc(memp_t type) {
  static const auto original = lwip_guard::library<void* (*)(memp_t)>("memp_malloc");
  const bool pcb = type == MEMP_TCP_PCB;
  if (pcb && memory.pcb_limit != 0 && memory.pcbs >= memory.pcb_limit) return nullptr;
  void* const p = original(type);
  if (pcb && p != nullptr) memory.most_pcbs = std::max(memory.most_pcbs, ++memory.pcbs);
  return p;
}

extern "C" void memp_free(memp_t type, void* p) {
  static const auto original = lwip_guard::library<void (*)(memp_t, void*)>("memp_free");
  if (type == MEMP_TCP_PCB && p != nullptr) --memory.pcbs;
  original(type, p);
}

extern "C" void* mem_malloc(mem_size_t size) {
  void* const p = std::malloc(size);
  memory.bytes += malloc_usable_size(p);
  memory.most_bytes = std::max(memory.most_bytes, memory.bytes);
  return p;
}

extern "C" void mem_free(void* p) {
  memory.bytes -= malloc_usable_size(p);
  std::free(p);
}
