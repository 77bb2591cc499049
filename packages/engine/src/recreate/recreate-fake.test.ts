import { describe } from 'vitest';
import { fakeBench } from '../testing/fake-bench.ts';
import { recreateSuite } from '../testing/recreate-suite.ts';

describe('re-creating, on the engine in memory', () => {
  const bench = fakeBench();
  recreateSuite(() => bench, { everyCombination: true });
});
