/** Adds up what the test runner reports, and decides which skipped tests are allowed. */

export interface Counts {
  readonly passed: number;
  /** What failed and why, each in a few lines: said again at the end, where whoever reads only that finds it. */
  readonly failed: readonly string[];
  readonly skipped: number;
}

export const zero: Counts = { passed: 0, failed: [], skipped: 0 };
export const failure = (what: string): Counts => ({ ...zero, failed: [what] });

export const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: [...a.failed, ...b.failed],
  skipped: a.skipped + b.skipped,
});

export const closingLines = ({ passed, failed, skipped }: Counts): string => {
  const counts = `${passed} passed, ${failed.length} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
  return [...failed.map((what) => `✗ ${what}`), counts].join('\n');
};

/** A test may be skipped only where the kernel lacks a feature, and its name says which one. */
const allowedSkip = /\[needs kernel: [^\]]+\]/;

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly TestResult[];
  }[];
}

interface TestResult {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

export function readReport(suite: string, exitCode: number, read: () => string): Counts {
  let report: Report;
  try {
    report = JSON.parse(read()) as Report;
  } catch {
    return failure(`${suite}: the test runner ended with ${exitCode} and left no report`);
  }
  let counts = zero;
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')) {
      counts = add(counts, failure(`${suite}: ${file.name}: ${file.message}`));
    }
    for (const test of file.assertionResults) counts = add(counts, countOf(suite, test));
  }
  if (exitCode !== 0 && counts.failed.length === 0)
    return add(counts, failure(`${suite}: the test runner ended with ${exitCode} although no test failed`));
  return counts;
}

function countOf(suite: string, { fullName, status, failureMessages = [] }: TestResult): Counts {
  if (status === 'passed') return { ...zero, passed: 1 };
  if (status === 'failed') {
    const why = failureMessages.flatMap((message) => message.split('\n').slice(0, 6));
    return failure([`${suite}: ${fullName}`, ...why].join('\n    '));
  }
  if (allowedSkip.test(fullName)) return { ...zero, skipped: 1 };
  return failure(`${suite}: skipped without a kernel feature as its reason: ${fullName}`);
}
