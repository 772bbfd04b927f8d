// PTX text as statements: what belongs to the module, and what to which kernel.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <stdexcept>

#include "kernel_parser.h"
#include "races.h"
#include "text.h"

namespace ptx {
namespace {

bool begins(const std::string& s, const char* word) { return s.compare(0, std::strlen(word), word) == 0; }

class ModuleParser {
 public:
  explicit ModuleParser(const std::string& text) : text_(text) {}

  std::unique_ptr<Module> parse() {
    while (at_ < text_.size()) next();
    return std::move(module_);
  }

 private:
  // Takes one character, or a comment.
  void next() {
    const char c = text_[at_];
    if (c == '/' && text_[at_ + 1] == '/') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      return;
    }
    ++at_;
    if (c == '\n') return end_line();
    if (skipping_) {
      if (c == '}') skipping_ = false, statement_.clear();
      return;
    }
    const std::string so_far = trimmed(statement_);
    if (so_far.empty() && !std::isspace(static_cast<unsigned char>(c))) statement_line_ = line_;
    const bool entry = so_far.find(".entry") != std::string::npos;
    if (c == '{' && begins(so_far, ".section")) {
      skipping_ = true;
    } else if (c == '{' && (so_far.empty() || entry)) {
      if (entry) open_kernel(so_far);
      else parser_->open_scope();
      ++depth_;
      statement_.clear();
    } else if (c == '}' && so_far.empty()) {
      close();
    } else if (c == ';') {
      take(so_far);
      statement_.clear();
    } else if (c == ':' && parser_ && !so_far.empty() && so_far.find_first_of(" \t") == std::string::npos) {
      parser_->add_label(so_far);
      statement_.clear();
    } else {
      statement_ += c;
    }
  }

  // Some directives end with their line.
  void end_line() {
    ++line_;
    const std::string s = trimmed(statement_);
    for (const char* directive : {".loc", ".file", ".version", ".target", ".address_size"})
      if (begins(s, directive)) return statement_.clear();
    if (!statement_.empty()) statement_ += ' ';
  }

  void open_kernel(const std::string& head) {
    const size_t name = head.find(".entry") + 6, open = head.find('('), close = head.find(')');
    kernel_ = module_->kernels.emplace_back(std::make_unique<Kernel>()).get();
    kernel_->name = trimmed(head.substr(name, open - name));
    module_->by_name[kernel_->name] = kernel_;
    parser_ = std::make_unique<KernelParser>(*kernel_, shared_, globals_);
    for (const std::string& parameter : operands(head.substr(open + 1, close - open - 1))) parser_->add_parameter(parameter);
    const std::vector<std::string> words = words_of(head.substr(close + 1));
    for (size_t k = 0; k + 3 < words.size(); ++k)
      if (words[k] == ".maxntid")
        kernel_->max_threads = static_cast<uint32_t>(std::stoul(words[k + 1]) * std::stoul(words[k + 2]) * std::stoul(words[k + 3]));
  }

  void close() {
    if (--depth_ > 0) return parser_->close_scope();
    parser_->finish();
    parser_.reset();
  }

  void take(const std::string& s) {
    if (s.empty()) return;
    try {
      if (parser_) take_in_kernel(s);
      else take_in_module(s);
    } catch (const std::exception& e) {
      refuse("line " + std::to_string(statement_line_) + ": " + e.what() + " [" + s.substr(0, 200) + "]");
    }
  }

  void take_in_kernel(const std::string& s) {
    const std::vector<std::string> words = words_of(s);
    if (words[0] == ".reg") parser_->add_registers(words);
    else if (words[0] == ".shared") parser_->add_shared(declared(s));
    else if (words[0] == ".local") parser_->add_local(declared(s));
    else if (words[0] == ".pragma") return;
    else if (words[0][0] == '.') refuse("statement " + s);
    else parser_->add_instruction(s, statement_line_);
  }

  void take_in_module(const std::string& s) {
    const std::string kind = words_of(s)[0];
    if (kind == ".shared") return shared_.push_back(declared(s));
    if (kind != ".global" && kind != ".const") refuse("statement " + s);
    const Variable v = declared(s);
    std::vector<uint8_t>& memory = module_->globals.emplace_back(v.size);
    std::copy(v.init.begin(), v.init.end(), memory.begin());
    globals_[v.name] = reinterpret_cast<uint64_t>(memory.data());
    add_allocation(memory.data(), memory.size());
    Clock before_all{0, {}};
    touch("initialiser", memory.data(), memory.size(), true, before_all);
  }

  const std::string& text_;
  std::unique_ptr<Module> module_ = std::make_unique<Module>();
  std::vector<Variable> shared_;
  std::map<std::string, uint64_t> globals_;
  Kernel* kernel_ = nullptr;
  std::unique_ptr<KernelParser> parser_;  // null: between kernels
  size_t at_ = 0;
  std::string statement_;
  int depth_ = 0, line_ = 1, statement_line_ = 1;
  bool skipping_ = false;  // a debug section
};

}  // namespace

std::unique_ptr<Module> parse(const std::string& text) { return ModuleParser(text).parse(); }

}  // namespace ptx
