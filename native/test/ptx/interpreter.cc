#include "interpreter.h"

#include <algorithm>
#include <cstring>

#include "report.h"
#include "warp.h"

namespace ptx {
namespace {

// Goes on with the group that is furthest behind, so that groups meet again where their ways do.
void run_warp(Warp& w, const Kernel& k) {
  while (!w.pending.empty()) {
    auto least = std::min_element(w.pending.begin(), w.pending.end(), [](const Group& a, const Group& b) { return a.pc < b.pc; });
    Group g = *least;
    w.pending.erase(least);
    for (size_t n = 0; n < w.pending.size();)
      if (w.pending[n].pc == g.pc) {
        g.mask |= w.pending[n].mask;
        w.pending.erase(w.pending.begin() + static_cast<long>(n));
      } else ++n;
    for (bool first = true;; first = false) {
      const Inst& i = k.code[g.pc];
      if (i.leader && !first && !w.pending.empty() &&
          std::any_of(w.pending.begin(), w.pending.end(), [&](const Group& other) { return other.pc <= g.pc; })) {
        w.pending.push_back(g);
        break;
      }
      uint32_t mask = g.mask;
      if (i.predicate) {
        const uint32_t p = pred(w, i.predicate - 1);
        mask &= i.negated ? ~p : p;
      }
      if (i.kind == Kind::kNormal) {
        if (mask) i.run(w, i, mask);
        ++g.pc;
      } else if (i.kind == Kind::kBranch) {
        const uint32_t stays = g.mask & ~mask;
        if (!stays) g.pc = i.target;
        else {
          if (mask) w.pending.push_back({i.target, mask});
          g.mask = stays;
          ++g.pc;
        }
      } else if (i.kind == Kind::kReturn) {
        w.live &= ~mask;
        g.mask &= ~mask;
        if (!g.mask) break;
        ++g.pc;
      } else {
        if (mask != g.mask) report("predicated barrier", where(w, i), who(w, 0));
        w.waiting.push_back({g.pc, g.mask});
        break;
      }
    }
  }
}

class Launch {
 public:
  Launch(const Kernel& kernel, Size3 grid, Size3 size, void* const* arguments, Clock& clock, bool reversed)
      : kernel_(kernel), grid_(grid), size_(size), reversed_(reversed), threads_(size.x * size.y * size.z), warps_((threads_ + 31) / 32) {
    block_.kernel = &kernel;
    block_.launch = begin_launch(kernel.name, clock);
    block_.clock = &clock;
    block_.warps = &warps_;
    block_.parameters.resize(kernel.parameter_bytes);
    for (size_t p = 0; p < kernel.parameters.size(); ++p)
      std::memcpy(block_.parameters.data() + kernel.parameters[p].offset, arguments[p], kernel.parameters[p].size);
    block_.shared.resize(kernel.shared_valid.size());
    block_.local.assign(threads_, std::vector<uint8_t>(kernel.local_bytes));
    for (const Inst& i : kernel.code) i.begin = 1, i.end = 0;  // allocations may have gone
    prepare_registers();
  }

  void run() {
    const uint32_t blocks = grid_.x * grid_.y * grid_.z;
    for (uint32_t n = 0; n < blocks; ++n) run_block(reversed_ ? blocks - 1 - n : n, blocks);
  }

 private:
  void prepare_registers() {
    const size_t stride = (kernel_.register_bytes + 63) / 64 * 64;
    registers_.assign(stride * warps_.size() + 64, 0xff);  // NaN
    auto* base = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(registers_.data()) + 63) & ~uintptr_t{63});
    for (uint32_t n = 0; n < warps_.size(); ++n) {
      Warp& w = warps_[n];
      w.regs = base + n * stride;
      w.block = &block_;
      w.index = n;
      w.exists = threads_ - n * 32 >= 32 ? ~0u : (1u << (threads_ - n * 32)) - 1;
      for (const Constant& c : kernel_.constants)
        if (c.bytes == 0) std::memcpy(w.regs + c.offset, &c.value, 4);
        else
          for (int l = 0; l < 32; ++l) std::memcpy(w.regs + c.offset + l * c.bytes, &c.value, static_cast<size_t>(c.bytes));
    }
    const Size3 size = size_, grid = grid_;
    special("%ntid.x", [&](uint32_t) { return size.x; });
    special("%ntid.y", [&](uint32_t) { return size.y; });
    special("%ntid.z", [&](uint32_t) { return size.z; });
    special("%nctaid.x", [&](uint32_t) { return grid.x; });
    special("%nctaid.y", [&](uint32_t) { return grid.y; });
    special("%nctaid.z", [&](uint32_t) { return grid.z; });
    special("%tid.x", [&](uint32_t t) { return t % size.x; });
    special("%tid.y", [&](uint32_t t) { return t / size.x % size.y; });
    special("%tid.z", [&](uint32_t t) { return t / (size.x * size.y); });
    special("%laneid", [&](uint32_t t) { return t % 32; });
  }

  template <class Of>
  void special(const char* name, const Of& of) {
    if (const auto found = kernel_.special.find(name); found != kernel_.special.end())
      for (Warp& w : warps_)
        for (uint32_t l = 0; l < 32; ++l) reg<uint32_t>(w, found->second)[l] = of(w.index * 32 + l);
  }

  void run_block(uint32_t number, uint32_t blocks) {
    block_.number = number;
    block_.epoch = 1;
    block_.release = 0;
    block_.seen.assign(blocks, 0);
    block_.shadow.assign(block_.shared.size() / 4 + 1, {});
    std::fill(block_.shared.begin(), block_.shared.end(), uint8_t{0xff});
    special("%ctaid.x", [&](uint32_t) { return number % grid_.x; });
    special("%ctaid.y", [&](uint32_t) { return number / grid_.x % grid_.y; });
    special("%ctaid.z", [&](uint32_t) { return number / (grid_.x * grid_.y); });
    for (Warp& w : warps_) {
      w.live = w.exists;
      w.unfenced = 0;
      w.pending = {{0, w.exists}};
      w.waiting.clear();
    }
    do
      for (size_t m = 0; m < warps_.size(); ++m) run_warp(warps_[reversed_ ? warps_.size() - 1 - m : m], kernel_);
    while (pass_barrier());
  }

  // False where nobody waits: the block has ended.
  bool pass_barrier() {
    const Inst* barrier = nullptr;
    bool gone = false;
    const std::string block = "block " + std::to_string(block_.number);
    for (const Warp& w : warps_) {
      gone = gone || w.live != w.exists;
      if (w.waiting.size() > 1) report("a barrier that a warp comes to in parts", where(w, kernel_.code[w.waiting[0].pc]), block);
      for (const Group& g : w.waiting) {
        const Inst* here = &kernel_.code[g.pc];
        if (barrier && barrier != here)
          report("threads wait at different barriers", where(w, *here), "others at PTX line " + std::to_string(barrier->line));
        barrier = here;
      }
    }
    if (!barrier) return false;
    if (gone) report("a barrier after some threads have ended", where(warps_[0], *barrier), block);
    ++block_.epoch;
    for (Warp& w : warps_) {
      for (Group& g : w.waiting) ++g.pc;
      std::swap(w.pending, w.waiting);
      w.waiting.clear();
    }
    return true;
  }

  const Kernel& kernel_;
  Size3 grid_, size_;
  bool reversed_;
  uint32_t threads_;
  std::vector<Warp> warps_;
  std::vector<uint8_t> registers_;
  Block block_{};
};

}  // namespace

void launch(const Kernel& kernel, Size3 grid, Size3 block, void* const* arguments, Clock& clock, bool reversed) {
  Launch(kernel, grid, block, arguments, clock, reversed).run();
}

}  // namespace ptx
