/**
 * Every property runs from one seed, so that a run can be repeated and a green one stays green. To explore, give another:
 * `BERTH_SEED=random npm run test:unit`; a failure prints the seed that repeats it.
 */
import fc from 'fast-check';

const wanted = process.env['BERTH_SEED'] ?? '20261';
const seed = wanted === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(wanted);
if (!Number.isSafeInteger(seed))
  throw new Error(`BERTH_SEED must be a whole number or "random", not ${wanted}`);

// Histories that read it themselves get the number, not the word.
if (wanted === 'random') process.env['BERTH_SEED'] = String(seed);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
