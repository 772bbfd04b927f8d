/**
 * What a Parquet file declares, checked before hyparquet decodes it. hyparquet allocates and loops by these counts, so that one flipped
 * bit costs minutes, gigabytes or the process; here no count goes beyond what its page, its column or its file can hold.
 */
import type { ColumnMetaData, DataReader, Encoding, FileMetaData, PageHeader, RowGroup, SchemaTree } from 'hyparquet';
import { unpackSnappy } from './snappy.js';

/** Values of nested columns that a file may hold, whatever its size; runs of equal values take next to no bytes. */
const FEW_VALUES = 1 << 22;
/** And for each byte of it. A grey picture has a few bits a pixel at least. */
const VALUES_A_BYTE = 64;
/** Snappy's longest copy is 64 bytes by a tag of 3. */
const SNAPPY_RATIO = 32;
/** Writers may fill up their last bit-packed run. */
const PADDING = 512;

const DICTIONARY: readonly (Encoding | undefined)[] = ['PLAIN_DICTIONARY', 'RLE_DICTIONARY'];
/** What pixels and labels come in; the others (of floats, of texts that share beginnings) can grow without bound. */
const ENCODINGS: readonly (Encoding | undefined)[] = [...DICTIONARY, 'PLAIN', 'RLE', 'DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY'];

/** A column chunk, and the way to it in the schema. */
export interface Column {
  chunk: ColumnMetaData;
  /** First byte and the byte after its last, in the file. */
  range: readonly [start: number, end: number];
  path: SchemaTree[];
}

const fail = (reason: string): never => {
  throw new Error(reason);
};
const within = (value: unknown, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;

/** The modules of hyparquet that know a page's form. */
async function hyparquet() {
  const [{ parquetSchema }, { parquetHeader }, { readVarInt }, schema] = await Promise.all([
    import('hyparquet'),
    import('hyparquet/src/column.js'),
    import('hyparquet/src/thrift.js'),
    import('hyparquet/src/schema.js'),
  ]);
  return { parquetSchema, parquetHeader, readVarInt, ...schema };
}

/** Checks the pages of a file's row groups, one after another. */
export class PageChecker {
  private values: number;

  private constructor(
    private readonly lib: Awaited<ReturnType<typeof hyparquet>>,
    private readonly metadata: FileMetaData,
    private readonly bytes: number,
  ) {
    this.values = FEW_VALUES + VALUES_A_BYTE * bytes;
  }

  /** Of a file of `bytes` bytes. @throws {Error} for more rows than it can hold. */
  static async of(metadata: FileMetaData, bytes: number): Promise<PageChecker> {
    const rows = metadata.row_groups.reduce((sum, group) => {
      const count = Number(group.num_rows);
      return within(count, bytes) ? sum + count : Infinity;
    }, 0);
    if (rows > bytes) fail(`its ${bytes} bytes cannot hold as many rows as it declares`);
    return new PageChecker(await hyparquet(), metadata, bytes);
  }

  /** The chunks of `wanted` columns in a row group. @throws {Error} where they are not the schema's, or lie outside the file. */
  columns(group: RowGroup, wanted: readonly string[]): Column[] {
    const tree = this.lib.parquetSchema(this.metadata);
    const leaves = new Set(this.lib.getPhysicalColumns(tree));
    const chunks = group.columns.map(({ meta_data: chunk }) => chunk ?? fail('a column has no description'));
    // Each leaf once: hyparquet looks columns up by name.
    for (const { path_in_schema: path } of chunks)
      if (!leaves.delete(path.join('.'))) fail(`column ${path.join('.')} is not of its schema, or comes twice`);
    return chunks
      .filter(({ path_in_schema: [name] }) => wanted.includes(name))
      .map((chunk) => {
        const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset); // as hyparquet has it: 0 is none
        const length = Number(chunk.total_compressed_size);
        if (!within(start, this.bytes) || !within(length, this.bytes - start))
          fail(`column ${chunk.path_in_schema.join('.')} lies outside its ${this.bytes} bytes`);
        return { chunk, range: [start, start + length], path: this.lib.getTreePath(tree, chunk.path_in_schema) };
      });
  }

  /** Walks the pages of a column; `bytes` are those of its range, `rows` the group's. @throws {Error} */
  check({ chunk, path }: Column, bytes: Uint8Array, rows: number): void {
    const reader = readerOf(bytes);
    const flat = this.lib.isFlatColumn(path);
    const most = flat ? rows : this.values;
    let values = 0;
    while (reader.offset < bytes.length - 1 && !(flat && values >= rows)) {
      const header = this.lib.parquetHeader(reader);
      const length = header.compressed_page_size;
      if (!within(length, bytes.length - reader.offset)) fail('a page is larger than its column');
      const page = bytes.subarray(reader.offset, reader.offset + length);
      values += this.checkPage(header, page, chunk, path, most - values);
      reader.offset += length;
    }
    if (flat && values !== rows) fail(`column ${chunk.path_in_schema.join('.')} has ${values} values for ${rows} rows`);
    if (!flat) this.values -= values;
  }

  /** Its number of values: 0 for a dictionary's. */
  private checkPage(header: PageHeader, page: Uint8Array, chunk: ColumnMetaData, path: SchemaTree[], most: number): number {
    const one = header.data_page_header;
    const two = header.data_page_header_v2;
    if (header.type === 'DATA_PAGE' && one) {
      const { num_values: count, encoding } = one;
      if (!within(count, most) || !ENCODINGS.includes(encoding)) fail(`a page has ${count} values in encoding ${encoding}`);
      const reader = readerOf(this.unpacked(header.uncompressed_page_size, page, chunk));
      this.levels(reader, this.lib.getMaxRepetitionLevel(path), count);
      this.levels(reader, this.lib.getMaxDefinitionLevel(path), count);
      this.indices(reader, encoding, chunk, count);
      return count;
    }
    if (header.type === 'DATA_PAGE_V2' && two) {
      const { num_values: count, num_nulls: nulls, encoding } = two;
      const [repetitions, definitions] = [two.repetition_levels_byte_length, two.definition_levels_byte_length];
      if (!within(count, most) || !within(nulls, count) || !ENCODINGS.includes(encoding))
        fail(`a page has ${count} values, ${nulls} absent`);
      if (!within(repetitions, page.length) || !within(definitions, page.length - repetitions))
        fail('its levels are larger than their page');
      const reader = readerOf(page);
      const [repeated, deepest] = [this.lib.getMaxRepetitionLevel(path), this.lib.getMaxDefinitionLevel(path)];
      if (repeated > 0) this.runs(reader, bitWidth(repeated), count);
      reader.offset = repetitions;
      if (deepest > 0) this.runs(reader, bitWidth(deepest), count);
      const rest = page.subarray(repetitions + definitions);
      const size = header.uncompressed_page_size - repetitions - definitions;
      this.indices(readerOf(two.is_compressed === false ? rest : this.unpacked(size, rest, chunk)), encoding, chunk, count - nulls);
      return count;
    }
    const entries = header.dictionary_page_header?.num_values;
    if (header.type !== 'DICTIONARY_PAGE' || !within(entries, this.unpacked(header.uncompressed_page_size, page, chunk).length))
      fail('a page is of no known type, or its dictionary of no possible size');
    return 0;
  }

  /** A page's bytes as hyparquet will read them. */
  private unpacked(size: number, page: Uint8Array, { codec }: ColumnMetaData): Uint8Array {
    if (codec === 'UNCOMPRESSED') return page;
    if (codec !== 'SNAPPY') return fail(`it is compressed by ${codec}; write it again uncompressed or by SNAPPY`);
    if (!within(size, SNAPPY_RATIO * page.length + 64)) return fail(`a page of ${page.length} bytes cannot unpack to ${size}`);
    return unpackSnappy(page, size);
  }

  /** Levels of the first page format: their length, then runs. */
  private levels(reader: DataReader, deepest: number, count: number): void {
    if (deepest === 0) return;
    const length = reader.view.getUint32(reader.offset, true);
    const start = reader.offset + 4;
    reader.offset = start;
    this.runs(reader, bitWidth(deepest), count);
    reader.offset = start + length;
  }

  /** Where values are indices into a dictionary, their runs. */
  private indices(reader: DataReader, encoding: Encoding, { type }: ColumnMetaData, count: number): void {
    if (!DICTIONARY.includes(encoding) && encoding !== 'RLE') return;
    if (type === 'BOOLEAN') fail('truth values are neither pictures nor labels');
    if (reader.offset < reader.view.byteLength) this.runs(reader, reader.view.getUint8(reader.offset++), count);
  }

  /** Runs of the run-length and bit-packed hybrid, until `count` values or the end of the page: absent values have none. */
  private runs(reader: DataReader, width: number, count: number): void {
    if (width > 32) fail(`a page has numbers of ${width} bits`);
    for (let seen = 0; seen < count && reader.offset < reader.view.byteLength; ) {
      const run = this.lib.readVarInt(reader) >>> 0;
      const packed = (run & 1) === 1;
      const length = packed ? (run >>> 1) * 8 : run >>> 1;
      if (length > count - seen + PADDING) fail(`a page has a run of ${length} values where ${count - seen} are left`);
      reader.offset += packed ? (length / 8) * width : (width + 7) >> 3;
      seen += length;
    }
  }
}

const readerOf = (bytes: Uint8Array): DataReader => ({ view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 });
const bitWidth = (value: number): number => 32 - Math.clz32(value);
