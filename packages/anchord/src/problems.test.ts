import { describe, expect, it } from 'vitest';
import { type Problem, Problems, problemLine } from './problems.ts';

const conflict = (subject: string, detail = 'a and b'): Problem => ({
  code: 'port-conflict',
  subject,
  detail,
});

describe('problems', () => {
  it('are news once, and again when their detail changes', () => {
    const problems = new Problems();
    const first = problems.observe(['port-conflict'], [conflict('v4/tcp/25')]);
    expect(first.appeared).toHaveLength(1);
    expect(problems.observe(['port-conflict'], [conflict('v4/tcp/25')]).appeared).toEqual([]);
    expect(problems.observe(['port-conflict'], [conflict('v4/tcp/25', 'a and c')]).appeared).toHaveLength(1);
    expect(problems.of('port-conflict')).toHaveLength(1);
  });

  it('are over when an observation of their kind no longer has them', () => {
    const problems = new Problems();
    problems.observe(['port-conflict'], [conflict('v4/tcp/25'), conflict('v4/tcp/80')]);
    problems.set('forwarding-off', 'v4', 'net.ipv4.ip_forward is 0');
    expect(problems.observe(['port-conflict'], [conflict('v4/tcp/80')]).solved).toEqual([
      conflict('v4/tcp/25'),
    ]);
    expect(problems.list().map(({ code }) => code)).toEqual(['forwarding-off', 'port-conflict']);
    expect(problems.clear('forwarding-off', 'v4')).toBe(true);
    expect(problems.clear('forwarding-off', 'v4')).toBe(false);
  });

  it('are told to whoever shows them, with what is still open', () => {
    const told: string[] = [];
    const problems = new Problems((code, open) => told.push(`${code} ${open.length}`));
    problems.observe(['port-conflict', 'no-address'], [conflict('v4/tcp/25')]);
    problems.set('port-conflict', 'v4/tcp/26', '');
    problems.clear('port-conflict', 'v4/tcp/25');
    expect(told).toEqual(['port-conflict 1', 'no-address 0', 'port-conflict 2', 'port-conflict 1']);
  });

  it('are listed errors first, each on a line', () => {
    const problems = new Problems();
    problems.set('invalid-labels', 'web', 'anchord.expose set but empty');
    problems.observe(['port-conflict'], [conflict('v4/tcp/25')]);
    problems.set('docker-unreachable', '', 'connection refused');
    expect(problems.list().map(problemLine)).toEqual([
      'error: docker-unreachable: connection refused',
      'error: port-conflict: v4/tcp/25: a and b',
      'warning: invalid-labels: web: anchord.expose set but empty',
    ]);
  });
});
