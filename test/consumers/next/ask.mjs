// Starts the standalone server, as a container would, and asks it; before that, the route of examples/next-route.
import { deepStrictEqual } from 'node:assert';
import { spawn } from 'node:child_process';
import { crc32, deflateSync } from 'node:zlib';
import { MiniXception } from 'fer-cudnn';

/** A grey PNG of 48 x 48 pixels. */
function picture() {
  const chunk = (type, data) => {
    const body = Buffer.alloc(data.length + 12);
    body.writeUInt32BE(data.length);
    body.write(type, 4, 'latin1');
    data.copy(body, 8);
    body.writeUInt32BE(crc32(body.subarray(4, 8 + data.length)), 8 + data.length);
    return body;
  };
  const head = Buffer.from([0, 0, 0, 48, 0, 0, 0, 48, 8, 0, 0, 0, 0]);
  const rows = Buffer.from(Array.from({ length: 48 * 49 }, (_, i) => (i % 49 === 0 ? 0 : (i * 7) % 256)));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

async function askExample(url) {
  const post = async (image) => {
    const body = new FormData();
    body.append('image', image);
    const response = await fetch(`${url}/api/predict`, { method: 'POST', body });
    return [response.status, await response.json()];
  };
  const model = await MiniXception.pretrained('narrow');
  const expected = await model.predict(picture());
  model.dispose();
  deepStrictEqual(await post(new Blob([picture()])), [200, expected]);
  deepStrictEqual((await post(new Blob(['no picture'])))[0], 422);
  deepStrictEqual((await post('no file'))[0], 400);
}

const port = 3000 + (process.pid % 1000);
const server = spawn(process.execPath, ['.next/standalone/server.js'], { env: { ...process.env, PORT: String(port) }, stdio: 'inherit' });
try {
  for (let tries = 0; ; ++tries) {
    try {
      await fetch(`http://localhost:${port}/answer`);
      break;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  await askExample(`http://localhost:${port}`);
  console.log(await (await fetch(`http://localhost:${port}/answer`)).text());
} finally {
  server.kill();
}
