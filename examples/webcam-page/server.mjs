// Serves the page, and beside it the models, which answer for this page alone. node server.mjs, then open what it prints.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { serve } from 'fer-cudnn';

const FILES = { '/': ['index.html', 'text/html'], '/webcam.mjs': ['webcam.mjs', 'text/javascript'] };

const page = createServer(async ({ url }, response) => {
  const [name, type] = FILES[url.split('?')[0]] ?? [];
  if (!name) return response.writeHead(404).end();
  response.setHeader('content-type', type);
  response.end(await readFile(new URL(name, import.meta.url)));
});
await new Promise((resolve) => page.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${page.address().port}`;
const models = await serve({ port: 0, corsOrigins: [origin] });
console.log(`${origin}/?server=${models.url}`);
process.once('SIGTERM', async () => {
  page.closeAllConnections();
  page.close();
  await models.close();
});
