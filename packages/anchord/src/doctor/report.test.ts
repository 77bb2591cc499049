import { describe, expect, it } from 'vitest';
import { problemCodes, problemTable } from '../problems.ts';
import { exitCodeOf, fine, found, type Report, skipped, unknown } from './outcome.ts';
import { reportJson, reportText } from './report.ts';
import { checkCodes, checkTable } from './table.ts';

const reports: readonly Report[] = [
  { code: 'docker-unreachable', outcome: fine('unix:///var/run/docker.sock') },
  { code: 'clock', outcome: fine() },
  {
    code: 'default-route',
    outcome: found([
      {
        subject: 'v4',
        detail: 'should lead to 10.99.0.1, but there is none',
        step: { do: 'set default route', family: 'v4', gateway: '10.99.0.1' },
      },
    ]),
  },
  {
    code: 'dead-namespace',
    outcome: found([
      {
        subject: 'mail-smtp-1',
        detail: 'sits in the network of 0123456789ab, which is gone',
        remedy:
          'docker compose -p mail up -d --no-deps --force-recreate a-service-with-a-very-long-name-indeed',
      },
    ]),
  },
  { code: 'no-lease', outcome: skipped('no DHCP client runs') },
  { code: 'gateway-silent', outcome: unknown('asking on the link needs NET_RAW') },
];

describe('the report', () => {
  it('says what is wrong, what follows from it and what to do, in 80 columns but for commands', () => {
    expect(reportText('network-anchor', reports)).toBe(`The network-anchor in this container

ok       Docker answers: unix:///var/run/docker.sock
ok       The engine's clock and ours agree
PROBLEM  default-route, so not: The default routes lead to the gateway
         * v4: should lead to 10.99.0.1, but there is none
         Answers to clients beyond the LAN, and all that goes out, take the
         wrong way or none.
         → A running anchor repairs it by itself within seconds; --fix does it
           at once.
PROBLEM  dead-namespace, so not: All containers sit in a network namespace that
         has an owner
         * mail-smtp-1: sits in the network of 0123456789ab, which is gone
         The container has no working network: its owner is gone, or was
         restarted without it.
         → docker compose -p mail up -d --no-deps --force-recreate a-service-with-a-very-long-name-indeed
unknown  gateway-silent: asking on the link needs NET_RAW

2 fine, 2 problems, 1 could not be checked, 1 does not apply here.
`);
  });

  it('is one document for programs, with what --fix would do', () => {
    expect(JSON.parse(reportJson('network-anchor', reports))).toMatchObject({
      role: 'network-anchor',
      exitCode: 1,
      checks: [
        { code: 'docker-unreachable', outcome: 'fine', severity: 'error' },
        { code: 'clock', outcome: 'fine' },
        {
          code: 'default-route',
          outcome: 'problem',
          findings: [{ subject: 'v4', fix: 'lead the default route of v4 to 10.99.0.1' }],
        },
        { code: 'dead-namespace', findings: [{ remedy: expect.stringMatching(/^docker compose/) }] },
        { code: 'no-lease', outcome: 'skipped', why: 'no DHCP client runs' },
        { code: 'gateway-silent', outcome: 'unknown' },
      ],
    });
  });

  it.each([
    [[], 0],
    [['fine', 'skipped'], 0],
    [['fine', 'unknown'], 3],
    [['unknown', 'problem'], 1],
  ] as const)('ends with the worst that was seen: %j → %i', (kinds, code) => {
    const outcomes = {
      fine: fine(),
      skipped: skipped(''),
      unknown: unknown(''),
      problem: found([{ subject: '', detail: '' }]),
    };
    expect(exitCodeOf(kinds.map((kind) => ({ code: 'clock', outcome: outcomes[kind] })))).toBe(code);
  });
});

describe('the table of checks', () => {
  it('has every problem that an anchor notices by itself, in the same words', () => {
    expect(checkCodes.toSorted()).toEqual(Object.keys(checkTable).toSorted());
    for (const code of problemCodes) expect(checkTable[code]).toBe(problemTable[code]);
  });
});
