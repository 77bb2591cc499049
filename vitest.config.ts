import { defineConfig } from 'vitest/config';

const notOurs = ['**/node_modules/**', '**/dist/**', '**/.cache/**'];
const setupFiles = ['test/src/seed.ts'];
const privileged = ['**/*.kernel.test.ts', '**/*.engine.test.ts', '**/*.e2e.test.ts', '**/*.vm.test.ts'];

/**
 * Where tests wait for programs, kernels and engines, their own waits say what was missing. This limit only ends what hangs: it
 * is longer than all waits of a test together take on a machine that is many times slower than usual.
 */
const patienceMs = 300_000;

/** One project a suite; `scripts/test.ts` runs them one after another and adds up the counts. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles,
          include: ['{packages,lab,bench,scripts,test}/**/*.test.ts'],
          exclude: [...notOurs, ...privileged],
          pool: 'threads',
          isolate: false,
          // They take milliseconds; a busy machine may take its time.
          testTimeout: 120_000,
        },
      },
      {
        // One process, one file after another: setns() is per thread, and the tests share the machine's kernel.
        test: {
          name: 'kernel',
          setupFiles,
          include: ['{packages,lab,test}/**/*.kernel.test.ts'],
          exclude: notOurs,
          pool: 'forks',
          isolate: false,
          fileParallelism: false,
          testTimeout: patienceMs,
          hookTimeout: patienceMs,
        },
      },
      {
        test: {
          name: 'engine',
          setupFiles,
          include: ['{packages,lab,test}/**/*.engine.test.ts'],
          exclude: notOurs,
          globalSetup: ['lab/src/testing/global-setup.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: patienceMs,
          hookTimeout: 2 * patienceMs,
        },
      },
      {
        // Runs inside of a virtual machine, many times slower than here: see scripts/vm-suite.ts.
        test: {
          name: 'vm',
          setupFiles,
          include: [
            '{packages,lab,test}/**/*.vm.test.ts',
            'packages/kernel/src/network/links.kernel.test.ts',
          ],
          exclude: notOurs,
          pool: 'forks',
          isolate: false,
          fileParallelism: false,
          testTimeout: patienceMs,
          hookTimeout: patienceMs,
        },
      },
      {
        test: {
          name: 'e2e',
          setupFiles,
          include: ['{packages,lab,test}/**/*.e2e.test.ts'],
          exclude: notOurs,
          globalSetup: ['lab/src/testing/global-setup.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: patienceMs,
          hookTimeout: 2 * patienceMs,
        },
      },
    ],
  },
});
