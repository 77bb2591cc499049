/** Adds up what the test runner reports, and decides which skipped tests are allowed. */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const zero: Counts = { passed: 0, failed: 0, skipped: 0 };

export const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

export const closingLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;

/** A test may be skipped only where the kernel lacks a feature, and its name says which one. */
const allowedSkip = /\[needs kernel: [^\]]+\]/;

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

export function readReport(
  suite: string,
  exitCode: number,
  read: () => string,
  say: (line: string) => void,
): Counts {
  let report: Report;
  try {
    report = JSON.parse(read()) as Report;
  } catch {
    say(`✗ ${suite}: the test runner ended with ${exitCode} and left no report`);
    return { ...zero, failed: 1 };
  }
  let counts = zero;
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')) {
      say(`✗ ${file.name}: ${file.message}`);
      counts = add(counts, { ...zero, failed: 1 });
    }
    for (const test of file.assertionResults) counts = add(counts, countOf(test, say));
  }
  if (exitCode !== 0 && counts.failed === 0) {
    say(`✗ ${suite}: the test runner ended with ${exitCode} although no test failed`);
    return add(counts, { ...zero, failed: 1 });
  }
  return counts;
}

function countOf(test: { fullName: string; status: string }, say: (line: string) => void): Counts {
  if (test.status === 'passed') return { ...zero, passed: 1 };
  if (test.status === 'failed') return { ...zero, failed: 1 };
  if (allowedSkip.test(test.fullName)) return { ...zero, skipped: 1 };
  say(`✗ skipped without a kernel feature as its reason: ${test.fullName}`);
  return { ...zero, failed: 1 };
}
