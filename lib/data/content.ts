/** What a file is, by its first bytes: names lie, and a file that is no use here wants one line of advice. */
import type { FileHandle } from 'node:fs/promises';
import { openRegular } from '../regular-file.js';

export interface Content {
  /** In a sentence: "is a BMP picture". */
  name: string;
  /** What to do with it; absent where it is read as it is. */
  advice?: string;
  /** Whether sharp decodes it. */
  picture?: boolean;
}

/** How many bytes tell: a tar's magic word lies at 257. */
export const HEAD = 512;

type Signature = Content & { magic: string; at?: number };

const PICTURE = { picture: true };
const CONVERT = { advice: 'convert it to JPEG or PNG' };
const unpack = (program: string): Pick<Content, 'advice'> => ({ advice: `unpack it (${program}) and name the file or folder inside` });
const decompress = (program: string): Pick<Content, 'advice'> => ({
  advice: `decompress it first (${program}); of compressed files only .csv.gz is read`,
});

/** ISO media files: what follows "ftyp" at byte 4. */
const BRANDS: readonly [brands: string[], content: Content][] = [
  [['avif', 'avis'], { name: 'an AVIF picture', ...PICTURE }],
  [['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1'], { name: 'a HEIC picture', ...CONVERT }],
];

/** The first that fits. Of the magic words, bytes are hexadecimal and "." is any digit. */
const SIGNATURES: readonly Signature[] = [
  { magic: 'ffd8ff', name: 'a JPEG picture', ...PICTURE },
  { magic: '89504e470d0a1a0a', name: 'a PNG picture', ...PICTURE },
  { magic: '47494638', name: 'a GIF picture', ...PICTURE },
  { magic: '52494646........57454250', name: 'a WebP picture', ...PICTURE },
  { magic: '49492a00', name: 'a TIFF picture', ...PICTURE },
  { magic: '4d4d002a', name: 'a TIFF picture', ...PICTURE },
  { magic: '424d........00000000', name: 'a BMP picture', ...CONVERT },
  { magic: '424d............0000', name: 'a BMP picture', ...CONVERT },
  { magic: '0000000c6a502020', name: 'a JPEG 2000 picture', ...CONVERT },
  { magic: '0000000c4a584c20', name: 'a JPEG XL picture', ...CONVERT },
  { magic: 'ff0a', name: 'a JPEG XL picture', ...CONVERT },
  { magic: '38425053', name: 'a Photoshop picture', ...CONVERT },
  { magic: '00000100', name: 'an icon', ...CONVERT },
  { magic: '25504446', name: 'a PDF', ...CONVERT },
  { magic: '00051607', name: "macOS's note beside a file (AppleDouble)", advice: 'delete it; the file itself has the name without "._"' },
  { magic: '1f8b', name: 'gzip', ...decompress('gunzip') },
  { magic: '425a68', name: 'bzip2', ...decompress('bunzip2') },
  { magic: 'fd377a585a00', name: 'xz', ...decompress('unxz') },
  { magic: '28b52ffd', name: 'Zstandard', ...decompress('unzstd') },
  { magic: '504b0304', name: 'a ZIP archive', ...unpack('unzip') },
  { magic: '377abcaf271c', name: 'a 7z archive', ...unpack('7z x') },
  { magic: '526172211a07', name: 'a RAR archive', ...unpack('unrar x') },
  { magic: '7573746172', at: 257, name: 'a tar archive', ...unpack('tar xf') },
  { magic: '50415231', name: 'Parquet', advice: 'name it as a data set' },
  { magic: '464552434f4d50', name: "a data set in this package's compact form", advice: 'name it as a data set' },
  { magic: '894844460d0a1a0a', name: 'HDF5', advice: 'name it as a model, where it is one' },
  { magic: '934e554d5059', name: 'a NumPy array', advice: 'write its images into a folder a class, or as a FER2013 CSV' },
  { magic: '800[2-5]', name: 'a Python pickle', advice: 'write what it holds in a form that is read here' },
  { magic: '7f454c46', name: 'a program' },
  { magic: '76657273696f6e2068747470733a2f2f6769742d6c6673', name: 'a pointer of Git LFS', advice: 'fetch the file itself: git lfs pull' },
];

/** The name of the only form that is a program. */
export const SVG_PICTURE = 'an SVG picture';

/** An SVG's first tag, after a declaration, comments (each ends at the first end of one, or many would match in 2^n ways) and a type. */
// eslint-disable-next-line security/detect-unsafe-regex -- every text matches in one way at most, and it has HEAD bytes
const SVG = /^\s*(?:<\?xml[^>]*>\s*|<!--(?:(?!-->)[^])*-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]/;

/** What begins with `head`; undefined for what is not known, texts among them. */
export function contentOf(head: Uint8Array): Content | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, HEAD));
  if (bytes.toString('latin1', 4, 8) === 'ftyp') return BRANDS.find(([brands]) => brands.includes(bytes.toString('latin1', 8, 12)))?.[1];
  const fits = ({ magic, at = 0 }: Signature): boolean =>
    // eslint-disable-next-line security/detect-non-literal-regexp -- of the list above
    new RegExp(`^${magic}`).test(bytes.toString('hex', at, at + Math.ceil(magic.length / 2)));
  const known = SIGNATURES.find(fits);
  if (known) return known;
  return SVG.test(bytes.toString('utf8')) ? { name: SVG_PICTURE, ...PICTURE } : undefined;
}

/** The first bytes of an open file. */
export async function headOf(handle: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(HEAD);
  const { bytesRead } = await handle.read(head, 0, HEAD, 0);
  return head.subarray(0, bytesRead);
}

/** Of a file by its path. @throws {FerError} ERR_FER_DATA_NOT_FOUND */
export async function headOfFile(file: string): Promise<Buffer> {
  const { handle } = await openRegular(file);
  try {
    return await headOf(handle);
  } finally {
    await handle.close();
  }
}

/** "is a BMP picture: convert it to JPEG or PNG"; undefined for what is not known. */
export function adviceOn(head: Uint8Array): string | undefined {
  const content = contentOf(head);
  return content && `is ${content.name}${content.advice ? `: ${content.advice}` : ''}`;
}
