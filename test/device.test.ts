import { describe, expect, it } from 'vitest';
import { bf16Hint } from '../lib/device.js';

describe('bf16Hint', () => {
  const wide = { device: 'cpu', precision: 'fp32', multiplyAdds: 200e6 };

  it('tells of bf16 where it takes half the time', () => {
    expect(bf16Hint(wide, 'amx-bf16')).toMatch(/--precision bf16 .* half the time/);
  });

  it.each([
    ['without AMX', wide, 'avx512-bf16'],
    ['for the narrow network, which gains little', { ...wide, multiplyAdds: 5.5e6 }, 'amx-bf16'],
    ['in bf16 already', { ...wide, precision: 'bf16' }, 'amx-bf16'],
    ['on a GPU', { ...wide, device: 'cuda:0' }, 'amx-bf16'],
  ])('says nothing %s', (_, model, isa) => {
    expect(bf16Hint(model, isa)).toBeUndefined();
  });
});
