// Copies what the program was traced to need, and nothing else.
import { cpSync } from 'node:fs';
import path from 'node:path';
import { nodeFileTrace } from '@vercel/nft';

const { fileList } = await nodeFileTrace(['main.mjs']);
for (const file of fileList) cpSync(file, path.join('out', file), { verbatimSymlinks: true });
