// Requests that are nearly right: bytes of a good body changed, cut off, doubled or put in. The same for the same seed.
import sharp from 'sharp';
import { syntheticFaces } from '../../dist/index.js';
import { generator } from '../../dist/random.js';

const PUT_IN = ['null', '-1', '1e999', '[[[[', '{}', '\0', '"'];

/** @param {Buffer} bytes @param {() => number} random */
function mutated(bytes, random) {
  const copy = Buffer.from(bytes);
  const where = Math.floor(random() * copy.length);
  switch (Math.floor(random() * 4)) {
    case 0:
      for (let i = 0; i < 1 + random() * 8 && copy.length > 0; i++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
      return copy;
    case 1:
      return copy.subarray(0, where);
    case 2:
      return Buffer.concat([copy.subarray(0, where), copy]);
    default:
      return Buffer.concat([copy.subarray(0, where), Buffer.from(PUT_IN[Math.floor(random() * PUT_IN.length)]), copy.subarray(where)]);
  }
}

/** What a server would answer with 200, but for the last two. */
async function wellFormed() {
  const { images, size } = syntheticFaces();
  const face = images.slice(0, size * size);
  const picture = sharp(face, { raw: { width: size, height: size, channels: 1 } });
  const [png, jpeg, webp] = await Promise.all([picture.clone().png().toBuffer(), picture.clone().jpeg().toBuffer(), picture.clone().webp().toBuffer()]); // prettier-ignore
  const form = Buffer.concat([
    Buffer.from('--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n'),
    png,
    Buffer.from('\r\n--b\r\ncontent-disposition: form-data; name="flip"\r\n\r\ntrue\r\n--b--\r\n'),
  ]);
  const json = Buffer.from(
    JSON.stringify({
      images: [{ data: png.toString('base64'), box: { left: 0, top: 0, width: 9, height: 9 } }],
      perturbations: [{ type: 'rotation', degrees: 3 }],
    }),
  );
  const inference = Buffer.from(
    JSON.stringify({ inputs: [{ name: 'pixels', datatype: 'UINT8', shape: [1, size, size], data: [...face] }] }),
  );
  const multipart = 'multipart/form-data; boundary=b';
  /** @type {[type: string, body: Buffer, where: string][]} */
  const requests = [
    ['application/json', json, '/v1/predict'],
    ['application/json', json, '/v1/explain'],
    [multipart, form, '/v1/predict'],
    [multipart, form, '/v1/perturb'],
    ['image/png', png, '/v1/predict'],
    ['image/jpeg', jpeg, '/v1/predict'],
    ['image/webp', webp, '/v1/explain'],
    ['application/octet-stream', Buffer.from(face), '/v1/perturb'],
    ['', inference, '/v2/models/narrow/infer'],
    ['application/json', Buffer.from(JSON.stringify({ image: String(face) })), '/v1/predict'],
    ['image/png', Buffer.alloc(0), '/v1/explain'],
  ];
  return requests;
}

/**
 * Sends `count` of them to the server at `url`, and tells `answered` the status of each.
 * @param {string} url
 * @param {number} count
 * @param {number} seed
 * @param {(status: number, about: string) => void} answered
 */
export async function sendMalformed(url, count, seed, answered) {
  const random = generator(seed);
  const requests = await wellFormed();
  for (let i = 0; i < count; i++) {
    const [type, body, where] = requests[i % requests.length];
    const spoilt = mutated(body, random);
    /** @type {Record<string, string>} */
    const headers = type ? { 'content-type': type } : {};
    if (random() < 0.1 && where.startsWith('/v2')) headers['inference-header-content-length'] = String(Math.floor(random() * 4000) - 50);
    const response = await fetch(url + where, { method: 'POST', body: Uint8Array.from(spoilt), headers });
    await response.arrayBuffer();
    answered(response.status, `${i}: ${where} ${type} ${spoilt.toString('latin1').slice(0, 200)}`);
  }
}
