import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { loadLibrary } from './library.ts';

it('has the library check options as before, and leaves the validating library as it was', async () => {
  const before = Reflect.get(Ajv2020.prototype, 'compile');
  const { Producer } = await loadLibrary();
  expect(Reflect.get(Ajv2020.prototype, 'compile')).toBe(before);
  const options = { clientId: 'test', bootstrapBrokers: ['127.0.0.1:1'], strict: true };
  const wrong = { ...options, timeout: -1 };
  for (let time = 0; time < 2; time++) expect(() => new Producer(wrong)).toThrow('/options/timeout must be >= 0');
  await new Producer(options).close();
});
