// class CsvParser: feeds data/csv.h from JavaScript.
#pragma once
#include <napi.h>

namespace fer::addon {

Napi::Function define_csv_parser(Napi::Env env);

}  // namespace fer::addon
