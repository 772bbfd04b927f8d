/** The rows of a Parquet file, a row group at a time, so that memory follows its groups and not the file. */
import type { FileHandle } from 'node:fs/promises';
import type { AsyncBuffer } from 'hyparquet';
import { openRegular } from '../regular-file.js';
import { PageChecker } from './parquet-pages.js';
import { unpackSnappy } from './snappy.js';

export type Row = Record<string, unknown>;

/**
 * Rows with their `wanted` columns, as far as the file has them; texts are bytes.
 * @throws {Error} saying what is wrong with the file; {FerError} ERR_FER_DATA_NOT_FOUND.
 */
export async function* rowGroups(file: string, wanted: readonly string[]): AsyncGenerator<Row[]> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { handle, stats } = await openRegular(file);
  try {
    const metadata = await parquetMetadataAsync(fileBuffer(handle, stats.size), { geoparquet: false });
    const checker = await PageChecker.of(metadata, stats.size);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows);
      const columns = checker.columns(group, wanted);
      const pieces: Piece[] = [];
      for (const column of columns) {
        const [start, end] = column.range;
        const bytes = await read(handle, start, end);
        checker.check(column, bytes, rows);
        pieces.push({ start, bytes });
      }
      const names = [...new Set(columns.map(({ chunk }) => chunk.path_in_schema[0]))];
      yield await parquetReadObjects({
        file: { byteLength: stats.size, slice: (start, end) => Promise.resolve(cut(pieces, start, end ?? stats.size)) },
        metadata,
        columns: names,
        rowStart,
        rowEnd: rowStart + rows,
        utf8: false,
        compressors: { SNAPPY: unpackSnappy },
      });
      rowStart += rows;
    }
  } finally {
    await handle.close();
  }
}

/**
 * What is written beside the columns, by key.
 * @throws as `rowGroups`
 */
export async function notesOf(file: string): Promise<Map<string, string>> {
  const { parquetMetadataAsync } = await import('hyparquet');
  const { handle, stats } = await openRegular(file);
  try {
    const { key_value_metadata: notes = [] } = await parquetMetadataAsync(fileBuffer(handle, stats.size), { geoparquet: false });
    return new Map(notes.flatMap(({ key, value }): [string, string][] => (value === undefined ? [] : [[key, value]])));
  } finally {
    await handle.close();
  }
}

/** The bytes of a column that were checked, and where in the file they lie. */
interface Piece {
  start: number;
  bytes: Uint8Array;
}

/** Bytes start..end of the pieces; hyparquet joins columns that lie close together, and what is between them stays zero. */
function cut(pieces: readonly Piece[], start: number, end: number): ArrayBuffer {
  const out = new Uint8Array(end - start);
  for (const piece of pieces) {
    const [from, to] = [Math.max(start, piece.start), Math.min(end, piece.start + piece.bytes.length)];
    if (from < to) out.set(piece.bytes.subarray(from - piece.start, to - piece.start), from - start);
  }
  return out.buffer;
}

const fileBuffer = (handle: FileHandle, byteLength: number): AsyncBuffer => ({
  byteLength,
  slice: async (start, end = byteLength) => (await read(handle, start, end)).buffer,
});

async function read(handle: FileHandle, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) throw new Error('it ends before what it declares');
    at += bytesRead;
  }
  return bytes;
}
