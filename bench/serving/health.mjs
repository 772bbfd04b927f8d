// How long /healthz takes while another process keeps the server busy: in a process of its own, whose event loop has nothing else to do.
const [url] = process.argv.slice(2);
await (await fetch(`${url}/healthz`)).text(); // to warm up
process.send('ready');
const took = [];
const asking = setInterval(async () => {
  const began = performance.now();
  await (await fetch(`${url}/healthz`)).text();
  took.push(performance.now() - began);
}, 100);
process.on('message', () => {
  clearInterval(asking);
  took.sort((a, b) => a - b);
  const at = (share) => Number((took[Math.floor((took.length - 1) * share)] ?? 0).toFixed(1));
  process.send({ asked: took.length, p50: at(0.5), p99: at(0.99), most: at(1) });
  process.disconnect();
});
