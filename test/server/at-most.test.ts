/** So much at a time, in the order of asking, and failures give their place back. */
import { expect, it } from 'vitest';
import { atMost } from '../../lib/server/at-most.js';

it('runs so many at a time, each once, in their order', async () => {
  const turn = atMost(3);
  let [now, most] = [0, 0];
  const begun: number[] = [];
  const work = (i: number) => async (): Promise<number> => {
    begun.push(i);
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 1 + (i % 4)));
    now--;
    if (i % 5 === 4) throw new Error(`${i}`);
    return i;
  };
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => turn(work(i))));
  expect(most).toBe(3);
  expect(now).toBe(0);
  expect(begun).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, (_, i) => (i % 5 === 4 ? 'rejected' : 'fulfilled')));
  expect(await turn(work(0))).toBe(0);
});
