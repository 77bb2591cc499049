/** What the doctor says: for people in 80 columns, for programs as JSON. */
import { hanging, wrap } from '../cli/text.ts';
import { described } from './fix.ts';
import { exitCodeOf, type Finding, type Outcome, type Report } from './outcome.ts';
import type { Role } from './site.ts';
import { type CheckCode, checkTable } from './table.ts';

const labels: Readonly<Record<Outcome['kind'], string>> = {
  fine: 'ok',
  problems: 'PROBLEM',
  unknown: 'unknown',
  skipped: '-',
};
const labelWidth = 9;
const margin = ' '.repeat(labelWidth);

/** What applies here, one after another; what does not is counted at the end. */
export function reportText(role: Role, reports: readonly Report[]): string {
  const blocks = reports.filter(({ outcome }) => outcome.kind !== 'skipped').map(blockOf);
  return `${[headline(role), '', ...blocks, '', summary(reports)].join('\n')}\n`;
}

const headline = (role: Role): string =>
  role === 'outside' ? 'This host, as Docker shows it' : `The ${role} in this container`;

function blockOf({ code, outcome }: Report): string {
  const { title, meaning, remedy } = checkTable[code];
  const label = labels[outcome.kind].padEnd(labelWidth);
  switch (outcome.kind) {
    case 'fine':
      return hanging(label, outcome.note === '' ? title : `${title}: ${outcome.note}`);
    case 'skipped':
    case 'unknown':
      return hanging(label, `${code}: ${outcome.why}`);
    case 'problems':
      return [
        hanging(label, `${code}, so not: ${title}`),
        ...outcome.findings.map((finding) => hanging(`${margin}* `, sentence(finding))),
        wrap(meaning, margin),
        ...remediesOf(outcome.findings, remedy),
      ].join('\n');
  }
}

const sentence = ({ subject, detail }: Finding): string =>
  [subject, detail].filter((text) => text !== '').join(': ');

/** Each remedy once. A command is copied, so it is never broken. */
function remediesOf(findings: readonly Finding[], remedy: string): readonly string[] {
  const own = [...new Set(findings.map((finding) => finding.remedy ?? remedy))];
  return own.map((text) =>
    text.startsWith('docker ') ? `${margin}→ ${text}` : hanging(`${margin}→ `, text),
  );
}

function summary(reports: readonly Report[]): string {
  const count = (kind: Outcome['kind']): number =>
    reports.filter(({ outcome }) => outcome.kind === kind).length;
  const parts = [
    [count('fine'), 'fine'],
    [count('problems'), count('problems') === 1 ? 'problem' : 'problems'],
    [count('unknown'), 'could not be checked'],
    [count('skipped'), count('skipped') === 1 ? 'does not apply here' : 'do not apply here'],
  ] as const;
  const told = parts.filter(([number], at) => number > 0 || at === 1);
  return `${told.map(([number, what]) => `${number} ${what}`).join(', ')}.`;
}

export function reportJson(role: Role, reports: readonly Report[]): string {
  const checks = reports.map(({ code, outcome }) => {
    const { title, severity, meaning, remedy } = checkTable[code];
    const { kind, ...rest } = outcome;
    const findings =
      outcome.kind === 'problems'
        ? {
            findings: outcome.findings.map(({ step, ...finding }) => ({
              remedy,
              ...finding,
              ...(step === undefined ? {} : { fix: described(step) }),
            })),
          }
        : rest;
    return { code, title, severity, meaning, outcome: kind === 'problems' ? 'problem' : kind, ...findings };
  });
  return `${JSON.stringify({ role, exitCode: exitCodeOf(reports), checks }, undefined, 2)}\n`;
}

export const isCheck = (code: string): code is CheckCode => Object.hasOwn(checkTable, code);
