import { expect, test } from 'vitest';
import { answer } from './program.mjs';

test('answers', async () => {
  const words = await answer();
  console.log(words);
  expect(words).toMatch(/^answer: \w+ /);
});
