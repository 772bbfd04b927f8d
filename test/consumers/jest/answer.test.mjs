import { answer } from './program.mjs';

test('answers', async () => {
  const words = await answer();
  process.stdout.write(`${words}\n`);
  expect(words).toMatch(/^answer: \w+ /);
});
