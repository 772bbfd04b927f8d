/** The part of TensorBoard's event files that is written here: protobuf messages, each in a record with checksums. */
import protobuf from 'protobufjs';

const SCHEMA = `
syntax = "proto3";
package tensorboard;
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
}
message SessionLog { int32 status = 1; }
message Summary { repeated Value value = 1; }
message Value {
  string tag = 1;
  oneof value { float simple_value = 2; Image image = 4; Tensor tensor = 8; }
  Metadata metadata = 9;
}
message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
message Shape {}
message Tensor { int32 dtype = 1; Shape tensor_shape = 2; repeated float float_val = 5; }
message Metadata { Plugin plugin_data = 1; }
message Plugin { string plugin_name = 1; bytes content = 2; }

message Setting { oneof kind { double number_value = 2; string string_value = 3; bool bool_value = 4; } }
message SessionStart { map<string, Setting> hparams = 1; double start_time_secs = 5; }
message SessionEnd { int32 status = 1; double end_time_secs = 2; }
message HParam { string name = 1; int32 type = 4; }
message MetricName { string group = 1; string tag = 2; }
message Metric { MetricName name = 1; }
message Experiment { repeated HParam hparam_infos = 4; repeated Metric metric_infos = 5; }
message HParams {
  int32 version = 1;
  oneof data { Experiment experiment = 2; SessionStart session_start_info = 3; SessionEnd session_end_info = 4; }
}`;

const root = protobuf.parse(SCHEMA).root;
const encode = (type: string, value: object): Uint8Array => {
  const message = root.lookupType(`tensorboard.${type}`);
  return message.encode(message.fromObject(value)).finish();
};

export interface EventValue {
  tag: string;
  simpleValue?: number;
  image?: { height: number; width: number; colorspace: number; encodedImageString: Uint8Array };
  tensor?: object;
  metadata?: object;
}

/** `SessionLog.SessionStatus.START`: what was written before it for its step and later ones no longer counts. */
const START = 1;

export const versionEvent = (wallTime: number): Uint8Array => record(encode('Event', { wallTime, fileVersion: 'brain.Event:2' }));
export const startEvent = (wallTime: number): Uint8Array => record(encode('Event', { wallTime, step: 0, sessionLog: { status: START } }));
export const summaryEvent = (wallTime: number, step: number, value: readonly EventValue[]): Uint8Array =>
  record(encode('Event', { wallTime, step, summary: { value } }));

/** A value of the plugin hparams: it is in the metadata, beside a tensor that is nothing. */
export const hparamsValue = (tag: string, data: object): EventValue => ({
  tag: `_hparams_/${tag}`,
  tensor: { dtype: 1, tensorShape: {}, floatVal: [0] },
  metadata: { pluginData: { pluginName: 'hparams', content: encode('HParams', data) } },
});

const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/** CRC-32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Checksums of data that hold checksums are masked, as TFRecord files have it. */
function masked(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes);
  const out = Buffer.alloc(4);
  out.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return out;
}

/** Length, its checksum, the data, its checksum. */
export function record(data: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, masked(length), data, masked(data)]);
}
