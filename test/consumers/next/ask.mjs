// Starts the standalone server, as a container would, and asks it.
import { spawn } from 'node:child_process';

const port = 3000 + (process.pid % 1000);
const server = spawn(process.execPath, ['.next/standalone/server.js'], { env: { ...process.env, PORT: String(port) }, stdio: 'inherit' });
try {
  for (let tries = 0; ; ++tries) {
    try {
      console.log(await (await fetch(`http://localhost:${port}/answer`)).text());
      break;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
} finally {
  server.kill();
}
