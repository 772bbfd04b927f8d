/**
 * The part of ONNX's protobuf schema that graphs of convolutional networks need, and its bytes. What a file holds beside it is skipped.
 * Messages are plain objects with the field names of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto in camel case.
 */
import protobuf from 'protobufjs';

const SCHEMA = `
syntax = "proto2";
package onnx;
message AttributeProto {
  optional string name = 1;
  optional float f = 2;
  optional int64 i = 3;
  repeated int64 ints = 8;
  optional int32 type = 20;
}
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; optional string doc_string = 3; }
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  optional string op_type = 4;
  repeated AttributeProto attribute = 5;
  optional string domain = 7;
}
message TensorProto {
  repeated int64 dims = 1;
  optional int32 data_type = 2;
  optional string name = 8;
  optional bytes raw_data = 9;
}
message GraphProto {
  repeated NodeProto node = 1;
  optional string name = 2;
  repeated TensorProto initializer = 5;
  optional string doc_string = 10;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorType { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
message TypeProto { optional TensorType tensor_type = 1; }
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message ModelProto {
  optional int64 ir_version = 1;
  optional string producer_name = 2;
  optional string producer_version = 3;
  optional string doc_string = 6;
  optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
  repeated StringStringEntryProto metadata_props = 14;
}`;

/** `AttributeProto.AttributeType`. */
const ATTRIBUTE = { f: 1, i: 2, ints: 7 } as const;

/** `TensorProto.DataType`. */
export const ELEMENT = { float32: 1, uint8: 2, float16: 10 } as const;
export type Element = keyof typeof ELEMENT;

export interface Attribute {
  name: string;
  type: number;
  f?: number;
  i?: number;
  ints?: number[];
}

export interface Node {
  opType: string;
  name: string;
  input: string[];
  output: string[];
  attribute: Attribute[];
  domain?: string;
}

export interface RawTensor {
  name: string;
  dims: number[];
  dataType: number;
  rawData: Uint8Array;
}

export interface ValueInfo {
  name: string;
  docString?: string;
  type: { tensorType: { elemType: number; shape: { dim: ({ dimValue: number } | { dimParam: string })[] } } };
}

export interface OnnxModel {
  irVersion: number;
  producerName: string;
  producerVersion: string;
  docString?: string;
  opsetImport: { domain: string; version: number }[];
  metadataProps: { key: string; value: string }[];
  graph: { name: string; docString?: string; node: Node[]; initializer: RawTensor[]; input: ValueInfo[]; output: ValueInfo[] };
}

/** An attribute: a whole number, a list of them, or `{ f: number }`. */
export function attribute(name: string, value: number | number[] | { f: number }): Attribute {
  if (Array.isArray(value)) return { name, type: ATTRIBUTE.ints, ints: value };
  return typeof value === 'number' ? { name, type: ATTRIBUTE.i, i: value } : { name, type: ATTRIBUTE.f, f: value.f };
}

let message: protobuf.Type | undefined;
const modelProto = (): protobuf.Type => (message ??= protobuf.parse(SCHEMA).root.lookupType('onnx.ModelProto'));

export const encodeModel = (model: OnnxModel): Uint8Array => modelProto().encode(modelProto().create(model)).finish();

/**
 * What the bytes say, every list there. Tensors' bytes are views.
 * @throws {Error} of protobufjs, where they are no message of this schema.
 */
export const decodeModel = (bytes: Uint8Array): OnnxModel =>
  modelProto().toObject(modelProto().decode(bytes), { longs: Number, arrays: true, defaults: true, objects: true }) as OnnxModel;
