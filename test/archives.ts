/** The first bytes of archives and compressed files, as their own programs write them: enough to be told by. */
import { gzipSync } from 'node:zlib';

const tar = Buffer.alloc(1536);
tar.write('fer2013/fer2013.csv');
tar.write('ustar', 257);

export const tarGz = gzipSync(tar);
export const zip = Buffer.from('504b03041400000008000000210000000000', 'hex');
export const bzip2 = Buffer.from('425a68393141592653594e', 'hex');
export const xz = Buffer.from('fd377a585a000004e6d6b446', 'hex');
