// Mnemonics become the functions that do them; what is not known is refused.
#include <algorithm>
#include <set>

#include "collectives.h"
#include "handlers.h"
#include "kernel_parser.h"

namespace ptx {
namespace {

std::vector<std::string> vector_of(const std::string& s) { return s[0] == '{' ? operands(s.substr(1, s.size() - 2)) : std::vector{s}; }

}  // namespace

bool Words::has(const char* part) const { return std::find(parts.begin(), parts.end(), part) != parts.end(); }

void KernelParser::add_instruction(std::string s, int line) {
  using Decode = void (KernelParser::*)(const Words&, Inst&);
  static const std::map<std::string, Decode> decoders = {{"bra", &KernelParser::branch},
                                                         {"ret", &KernelParser::leave},
                                                         {"exit", &KernelParser::leave},
                                                         {"bar", &KernelParser::barrier},
                                                         {"membar", &KernelParser::membar},
                                                         {"ld", &KernelParser::load_or_store},
                                                         {"st", &KernelParser::load_or_store},
                                                         {"atom", &KernelParser::atomic},
                                                         {"shfl", &KernelParser::shuffle},
                                                         {"mma", &KernelParser::multiply_matrices},
                                                         {"mov", &KernelParser::move},
                                                         {"cvta", &KernelParser::move},
                                                         {"cvt", &KernelParser::convert},
                                                         {"setp", &KernelParser::set_predicate},
                                                         {"selp", &KernelParser::select_by_predicate},
                                                         {"add", &KernelParser::combine},
                                                         {"sub", &KernelParser::combine},
                                                         {"min", &KernelParser::combine},
                                                         {"max", &KernelParser::combine},
                                                         {"div", &KernelParser::combine},
                                                         {"rem", &KernelParser::combine},
                                                         {"mul", &KernelParser::multiply},
                                                         {"mad", &KernelParser::multiply_add},
                                                         {"fma", &KernelParser::multiply_add},
                                                         {"and", &KernelParser::bits},
                                                         {"or", &KernelParser::bits},
                                                         {"xor", &KernelParser::bits},
                                                         {"not", &KernelParser::one_operand},
                                                         {"neg", &KernelParser::one_operand},
                                                         {"abs", &KernelParser::one_operand},
                                                         {"sqrt", &KernelParser::one_operand},
                                                         {"rcp", &KernelParser::one_operand},
                                                         {"ex2", &KernelParser::one_operand},
                                                         {"shl", &KernelParser::shift},
                                                         {"shr", &KernelParser::shift},
                                                         {"bfi", &KernelParser::insert_bits}};
  // Modifiers that change a result and are not known must not pass unseen.
  static const std::set<std::string> modifiers = {"rn",    "rm",  "lo",  "hi", "wide",    "uni",  "to",   "global",  "shared",  "local",
                                                  "param", "v2",  "v4",  "cg", "nc",      "sync", "bfly", "add",     "approx",  "ftz",
                                                  "rna",   "rni", "rzi", "gl", "aligned", "row",  "col",  "m16n8k8", "m16n8k16"};
  Inst i;
  i.line = line;
  i.text = s;
  if (s[0] == '@') {
    const size_t space = s.find_first_of(" \t");
    i.negated = s[1] == '!';
    i.predicate = value(s.substr(i.negated ? 2 : 1, space - (i.negated ? 2 : 1)), 0) + 1;
    s = trimmed(s.substr(space));
  }
  const size_t space = s.find_first_of(" \t");
  Words w{.text = s, .mnemonic = s.substr(0, space), .parts = {}, .operands = {}};
  w.parts = split(w.mnemonic, '.');
  if (space != std::string::npos) w.operands = operands(s.substr(space));
  const std::string& op = w.parts[0];
  for (size_t k = 1; k + 1 < w.parts.size(); ++k)
    if (!modifiers.contains(w.parts[k]) && op != "setp" && op != "cvt" && op != "mma") refuse("modifier " + w.parts[k] + " of " + s);
  if (w.has("rm") && w.mnemonic != "fma.rm.f32") refuse("rm: " + s);
  if (w.has("ftz") && w.mnemonic != "rcp.approx.ftz.f64" && w.mnemonic != "ex2.approx.ftz.f32") refuse("ftz: " + s);
  const auto decoder = decoders.find(op);
  if (decoder == decoders.end()) refuse("instruction " + s);
  (this->*decoder->second)(w, i);
  if (!i.run && i.kind == Kind::kNormal) refuse(s);
  kernel_.code.push_back(std::move(i));
}

void KernelParser::branch(const Words& w, Inst& i) {
  i.kind = Kind::kBranch;
  jumps_.push_back({kernel_.code.size(), w.operand(0)});
}

void KernelParser::leave(const Words&, Inst& i) { i.kind = Kind::kReturn; }

void KernelParser::barrier(const Words& w, Inst& i) {
  if (w.mnemonic != "bar.sync") refuse(w.text);
  if (w.operands.size() != 1 || w.operand(0) != "0") refuse(w.text);
  i.kind = Kind::kBarrier;
}

void KernelParser::membar(const Words& w, Inst& i) {
  if (w.type() != "gl") refuse(w.text);
  i.run = fence;
}

void KernelParser::load_or_store(const Words& w, Inst& i) {
  const std::string& t = w.type();
  const bool st = w.parts[0] == "st";
  const auto values = vector_of(w.operand(st ? 0 + 1 : 0));
  const int address_bytes = address(w.operand(st ? 0 : 1), i);
  i.count = static_cast<uint8_t>(values.size());
  if ((w.has("v2") && i.count != 2) || (w.has("v4") && i.count != 4)) refuse(w.text);
  i.bytes = static_cast<uint8_t>(type_bytes(t));
  int reg_bytes = i.bytes < 2 ? 2 : i.bytes;
  for (const std::string& v : values)
    if (v[0] == '%') reg_bytes = registered(v).second;
  for (size_t k = 0; k < values.size(); ++k) i.o[1 + k] = value(values[k], reg_bytes);
  const std::string& where = w.parts.at(1);
  i.run = st ? memory<true>(where, t, reg_bytes, address_bytes) : memory<false>(where, t, reg_bytes, address_bytes);
}

void KernelParser::atomic(const Words& w, Inst& i) {
  if (w.mnemonic != "atom.global.add.u32") refuse(w.text);
  if (address(w.operand(1), i) != 8) refuse(w.text);
  i.o[1] = value(w.operand(0), 4);
  i.o[2] = value(w.operand(2), 4);
  i.run = atomic_add;
}

void KernelParser::shuffle(const Words& w, Inst& i) {
  if (w.mnemonic != "shfl.sync.bfly.b32") refuse(w.text);
  const auto d = split(w.operand(0), '|');
  i.o[0] = value(d[0], 4);
  i.o[1] = d.size() > 1 ? value(d[1], 0) : 0;
  for (int k = 1; k < 5; ++k) i.o[1 + k] = value(w.operand(k), 4);
  i.run = shuffle_bfly;
}

void KernelParser::multiply_matrices(const Words& w, Inst& i) {
  if (w.mnemonic == "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32") i.run = mma_tf32;
  else if (w.mnemonic == "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32") i.run = mma_bf16;
  else refuse(w.text);
  const size_t counts[] = {4, 4, 2, 4};
  int at = 0;
  for (int k = 0; k < 4; ++k) {
    const auto v = vector_of(w.operand(k));
    if (v.size() != counts[k]) refuse(w.text);
    for (const std::string& one : v) i.o[at++] = value(one, 4);
  }
}

void KernelParser::move(const Words& w, Inst& i) {
  const std::string& t = w.type();
  if (w.parts[0] == "mov" && (w.operand(0)[0] == '{' || w.operand(1)[0] == '{')) {
    if (t != "b64") refuse(w.text);
    const auto a = vector_of(w.operand(0)), b = vector_of(w.operand(1));
    int at = 0;
    for (const auto& v : a) i.o[at++] = value(v, a.size() == 2 ? 4 : 8);
    for (const auto& v : b) i.o[at++] = value(v, b.size() == 2 ? 4 : 8);
    if (at != 3) refuse(w.text);
    i.run = a.size() == 2 ? unpack32 : pack32;
    return;
  }
  const int bytes = type_bytes(t);
  values(w, i, bytes, 2);
  i.run = bytes == 0   ? logic_mov
          : bytes == 2 ? unary<uint16_t, uint16_t, Same>
          : bytes == 4 ? unary<uint32_t, uint32_t, Same>
                       : unary<uint64_t, uint64_t, Same>;
}

void KernelParser::convert(const Words& w, Inst& i) {
  if (w.mnemonic == "cvt.rn.bf16x2.f32") {
    values(w, i, 4, 3);
    i.run = binary<uint32_t, float, float, Bf16x2>;
    return;
  }
  if (w.parts.size() > 4) refuse(w.text);
  const std::string &to = w.parts[w.parts.size() - 2], rounding = w.parts.size() == 4 ? w.parts[1] : "";
  i.o[0] = value(w.operand(0), to == "tf32" ? 4 : type_bytes(to));
  i.o[1] = narrowed(w.operand(1), type_bytes(w.type()), i.line);
  i.run = conversion(rounding, to, w.type());
}

void KernelParser::set_predicate(const Words& w, Inst& i) {
  const std::string& t = w.type();
  if (w.parts.size() != 3) refuse(w.text);
  i.o[0] = value(w.operand(0), 0);
  i.o[1] = value(w.operand(1), type_bytes(t));
  i.o[2] = value(w.operand(2), type_bytes(t));
  const std::string& c = w.parts[1];
  i.run = c == "eq"    ? comparison<Eq>(t)
          : c == "ne"  ? comparison<Ne>(t)
          : c == "lt"  ? comparison<Lt>(t)
          : c == "le"  ? comparison<Le>(t)
          : c == "gt"  ? comparison<Gt>(t)
          : c == "ge"  ? comparison<Ge>(t)
          : c == "equ" ? comparison<Equ>(t)
          : c == "neu" ? comparison<Neu>(t)
          : c == "ltu" ? comparison<Ltu>(t)
          : c == "leu" ? comparison<Leu>(t)
          : c == "gtu" ? comparison<Gtu>(t)
          : c == "geu" ? comparison<Geu>(t)
                       : nullptr;
  if (!i.run) refuse(w.text);
}

void KernelParser::select_by_predicate(const Words& w, Inst& i) {
  const std::string& t = w.type();
  const int bytes = type_bytes(t);
  for (int k = 0; k < 3; ++k) i.o[k] = value(w.operand(k), bytes);
  i.o[3] = value(w.operand(3), 0);
  i.run = bytes == 2 ? select<uint16_t> : bytes == 4 ? select<uint32_t> : select<uint64_t>;
}

void KernelParser::combine(const Words& w, Inst& i) {
  const std::string& t = w.type();
  values(w, i, type_bytes(t), 3);
  if (w.parts[0] == "div" && (t == "f32" || t == "f64") && !w.has("rn")) refuse(w.text);
  i.run = w.parts[0] == "add"   ? arithmetic<Add>(t)
          : w.parts[0] == "sub" ? arithmetic<Sub>(t)
          : w.parts[0] == "min" ? arithmetic<Min>(t)
          : w.parts[0] == "max" ? arithmetic<Max>(t)
          : w.parts[0] == "div" ? arithmetic<Div>(t)
                                : integers<Rem>(t);
}

void KernelParser::multiply(const Words& w, Inst& i) {
  const std::string& t = w.type();
  if (w.has("wide")) {
    const int bytes = type_bytes(t);
    i.o[0] = value(w.operand(0), 2 * bytes);
    i.o[1] = value(w.operand(1), bytes);
    i.o[2] = value(w.operand(2), bytes);
    i.run = t == "s32"   ? binary<int64_t, int32_t, int32_t, MulWide<int64_t>>
            : t == "u32" ? binary<uint64_t, uint32_t, uint32_t, MulWide<uint64_t>>
            : t == "u16" ? binary<uint32_t, uint16_t, uint16_t, MulWide<uint32_t>>
                         : nullptr;
    if (!i.run) refuse(w.text);
    return;
  }
  values(w, i, type_bytes(t), 3);
  if (w.has("hi"))
    i.run = t == "s32" ? binary<int32_t, int32_t, int32_t, MulHi32> : t == "u32" ? binary<uint32_t, uint32_t, uint32_t, MulHi32> : nullptr;
  else i.run = arithmetic<Mul>(t);
  if (!i.run) refuse(w.text);
}

void KernelParser::multiply_add(const Words& w, Inst& i) {
  const std::string& t = w.type();
  if (w.parts[0] == "fma") {
    values(w, i, type_bytes(t), 4);
    if (!w.has("rn") && w.mnemonic != "fma.rm.f32") refuse(w.text);
    i.run = w.has("rm")  ? ternary<float, float, float, FmaDown>
            : t == "f32" ? ternary<float, float, float, Fma>
                         : ternary<double, double, double, Fma>;
    return;
  }
  const int bytes = type_bytes(t), wide = w.has("wide") ? 2 * bytes : bytes;
  i.o[0] = value(w.operand(0), wide);
  i.o[1] = value(w.operand(1), bytes);
  i.o[2] = value(w.operand(2), bytes);
  i.o[3] = value(w.operand(3), wide);
  if (w.has("wide"))
    i.run = t == "u32"   ? ternary<uint64_t, uint32_t, uint64_t, MadWide<uint64_t>>
            : t == "s32" ? ternary<int64_t, int32_t, int64_t, MadWide<int64_t>>
                         : nullptr;
  else if (w.has("lo"))
    i.run = t == "s32"   ? ternary<int32_t, int32_t, int32_t, MadLo>
            : t == "u32" ? ternary<uint32_t, uint32_t, uint32_t, MadLo>
            : t == "s64" ? ternary<int64_t, int64_t, int64_t, MadLo>
                         : nullptr;
  if (!i.run) refuse(w.text);
}

void KernelParser::bits(const Words& w, Inst& i) {
  const std::string& t = w.type();
  values(w, i, type_bytes(t), 3);
  i.run = w.parts[0] == "and" ? bitwise<And>(t) : w.parts[0] == "or" ? bitwise<Or>(t) : bitwise<Xor>(t);
}

void KernelParser::one_operand(const Words& w, Inst& i) {
  const std::string& t = w.type();
  if (w.parts[0] == "not") {
    values(w, i, type_bytes(t), 2);
    i.run = t == "pred"  ? logic_not
            : t == "b16" ? unary<uint16_t, uint16_t, Not>
            : t == "b32" ? unary<uint32_t, uint32_t, Not>
                         : unary<uint64_t, uint64_t, Not>;
    return;
  }
  if (w.parts[0] == "neg" || w.parts[0] == "abs") {
    values(w, i, type_bytes(t), 2);
    auto pick = [&]<class F>() -> Handler {
      return t == "f32"   ? unary<float, float, F>
             : t == "f64" ? unary<double, double, F>
             : t == "s32" ? unary<int32_t, int32_t, F>
             : t == "s64" ? unary<int64_t, int64_t, F>
             : t == "s16" ? unary<int16_t, int16_t, F>
                          : nullptr;
    };
    i.run = w.parts[0] == "neg" ? pick.template operator()<Neg>() : pick.template operator()<Abs>();
    if (!i.run) refuse(w.text);
    return;
  }
  values(w, i, type_bytes(t), 2);
  if (w.mnemonic == "rcp.approx.ftz.f64") i.run = unary<double, double, RcpApproxF64>;
  else if (w.mnemonic == "ex2.approx.ftz.f32") i.run = unary<float, float, Exp2Approx>;
  else if (!w.has("rn")) refuse(w.text);
  else if (w.parts[0] == "sqrt") i.run = t == "f32" ? unary<float, float, Sqrt> : unary<double, double, Sqrt>;
  else i.run = t == "f32" ? unary<float, float, Rcp> : unary<double, double, Rcp>;
}

void KernelParser::shift(const Words& w, Inst& i) {
  const std::string& t = w.type();
  const int bytes = type_bytes(t);
  i.o[0] = value(w.operand(0), bytes);
  i.o[1] = value(w.operand(1), bytes);
  i.o[2] = value(w.operand(2), 4);
  auto pick = [&]<class T>() -> Handler {
    return w.parts[0] == "shl" ? static_cast<Handler>(binary<T, T, uint32_t, Shl>) : static_cast<Handler>(binary<T, T, uint32_t, Shr>);
  };
  i.run = t == "b32" || t == "u32"   ? pick.template operator()<uint32_t>()
          : t == "b64" || t == "u64" ? pick.template operator()<uint64_t>()
          : t == "s32"               ? pick.template operator()<int32_t>()
          : t == "s64"               ? pick.template operator()<int64_t>()
          : t == "b16" || t == "u16" ? pick.template operator()<uint16_t>()
                                     : nullptr;
  if (!i.run) refuse(w.text);
}

void KernelParser::insert_bits(const Words& w, Inst& i) {
  if (w.mnemonic != "bfi.b64") refuse(w.text);
  for (int k = 0; k < 3; ++k) i.o[k] = value(w.operand(k), 8);
  for (int k = 3; k < 5; ++k) i.o[k] = value(w.operand(k), 4);
  i.run = bfi64;
}

void KernelParser::finish() {
  for (const auto& [at, label] : jumps_) {
    const auto found = labels_.find(label);
    if (found == labels_.end()) refuse("no label " + label);
    kernel_.code[at].target = found->second;
    if (found->second >= kernel_.code.size()) refuse("label at the end");
    kernel_.code[found->second].leader = true;
    if (at + 1 < kernel_.code.size()) kernel_.code[at + 1].leader = true;
  }
  if (kernel_.code.empty() || kernel_.code.back().kind != Kind::kReturn) refuse("a kernel that does not return");
  kernel_.register_bytes = registers_;
}

}  // namespace ptx
