#include "addon/csv_parser.h"

#include "addon/callbacks.h"
#include "addon/values.h"
#include "data/csv.h"

namespace fer::addon {
namespace {

class CsvParserObject : public Wrapped<CsvParserObject> {
 public:
  [[maybe_unused]] static constexpr const char* kName = "CsvParser";
  static constexpr napi_type_tag kTag = {0x2f6a90d4c71b4e5d, 0x9b03c8e5f1a74d26};
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "CsvParser", {method<&CsvParserObject::push>("push"), method<&CsvParserObject::finish>("finish")});
  }

  explicit CsvParserObject(const Napi::CallbackInfo& info) : Wrapped(info), parser_(info[0].As<Napi::Object>().Get("skipBadRows").ToBoolean()) {}

 private:
  // Adds the row's line and reason to the error.
  template <class Body>
  auto parsing(Napi::Env env, Body&& body) {
    try {
      return body();
    } catch (const CsvError& error) {
      Napi::Object object = current_error(env).As<Napi::Object>();
      object.Set("line", static_cast<double>(error.row.line));
      object.Set("reason", error.row.reason);
      throw Napi::Error(env, object);
    }
  }

  void push(const Napi::CallbackInfo& info) {
    const auto chunk = elements<uint8_t>(info[0], "chunk");
    parsing(info.Env(), [&] { parser_.push({reinterpret_cast<const char*>(chunk.data()), chunk.size()}); });
  }

  Napi::Value finish(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return parsing(env, [&]() -> Napi::Value {
      parser_.finish();
      Napi::Object result = Napi::Object::New(env);
      result.Set("images", from_values(env, std::move(parser_.images)));
      result.Set("labels", from_values(env, std::move(parser_.labels)));
      result.Set("splits", from_values(env, std::move(parser_.splits)));
      result.Set("size", parser_.size());
      Napi::Array bad_rows = Napi::Array::New(env, parser_.bad_rows.size());
      for (uint32_t i = 0; i < parser_.bad_rows.size(); ++i) {
        Napi::Object row = Napi::Object::New(env);
        row.Set("line", static_cast<double>(parser_.bad_rows[i].line));
        row.Set("reason", parser_.bad_rows[i].reason);
        bad_rows.Set(i, row);
      }
      result.Set("badRows", bad_rows);
      return result;
    });
  }

  CsvParser parser_;
};

}  // namespace

Napi::Function define_csv_parser(Napi::Env env) { return CsvParserObject::define(env); }

}  // namespace fer::addon
