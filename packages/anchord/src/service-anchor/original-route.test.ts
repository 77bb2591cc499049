import { parseIp } from '@berth/kernel/ip';
import { describe, expect, it } from 'vitest';
import { planDefaultRoute } from '../routes/default-route.ts';
import { defaultRoute } from '../testing/routes.ts';
import * as gateway from './gateway.ts';
import { planRestore, rememberOriginal } from './original-route.ts';

const route = defaultRoute;
const docker = route('172.17.0.1');
const ours = route('172.30.0.2', { protocol: 172 });

describe('original default route', () => {
  it('is what was in force when we came', () => {
    const fallback = route('10.0.0.1', { metric: 100 });
    expect(rememberOriginal([fallback, docker], undefined)).toEqual({ kind: 'record', route: docker });
  });

  it('is nothing where there was none', () => {
    expect(rememberOriginal([], undefined)).toEqual({ kind: 'nothing' });
  });

  it('is what an earlier run remembered when that run was killed and its route is still there', () => {
    expect(rememberOriginal([ours], docker)).toEqual({ kind: 'keep', route: docker });
  });

  it('is never our own route of an earlier run', () => {
    expect(rememberOriginal([ours], undefined)).toEqual({ kind: 'nothing' });
  });

  it('is recorded anew when somebody put another route in place since', () => {
    const other = route('172.18.0.1');
    expect(rememberOriginal([other], docker)).toEqual({ kind: 'record', route: other });
  });

  it('comes back at the end in place of ours', () => {
    expect(planRestore([ours], docker)).toEqual({ remove: ours, restore: docker });
  });

  it('comes back at the end of a run after a run that was killed', () => {
    const remembering = rememberOriginal([ours], docker);
    const wanted = { gateway: parseIp('172.30.0.2'), link: 2, onLink: false };
    expect(planDefaultRoute('v4', [ours], wanted).kind).toBe('keep');
    expect(remembering.kind === 'keep' && planRestore([ours], remembering.route)).toEqual({
      remove: ours,
      restore: docker,
    });
  });

  it('is not restored over a route that is not ours, nor when it equals ours', () => {
    expect(planRestore([docker], docker)).toEqual({ remove: undefined, restore: undefined });
    expect(planRestore([], docker)).toEqual({ remove: undefined, restore: undefined });
    expect(planRestore([ours], route('172.30.0.2'))).toEqual({ remove: ours, restore: undefined });
  });

  it('is not written again where it only stood behind ours', () => {
    const advertised = route('fe80::1', { metric: 1024, protocol: 9 });
    const undercut = route('fd30::2', { metric: 1023, protocol: 172 });
    expect(planRestore([undercut, advertised], advertised)).toEqual({ remove: undercut, restore: undefined });
  });
});

describe('gateway of a service-anchor', () => {
  const chooseGateways = (answers: readonly string[], following: gateway.Gateways) =>
    gateway.chooseGateways(answers.map(parseIp), following);
  const nobody = { v4: undefined, v6: undefined };

  it('is the first answer of each family', () => {
    expect(chooseGateways(['fd30::2', '172.30.0.2', 'fd30::3', '172.30.0.3'], nobody)).toEqual({
      v4: '172.30.0.2',
      v6: 'fd30::2',
    });
  });

  it('stays with the anchor that we follow while it is among the answers', () => {
    const following = { v4: parseIp('172.30.0.3'), v6: parseIp('fd30::9') };
    expect(chooseGateways(['172.30.0.2', '172.30.0.3', 'fd30::2'], following)).toEqual({
      v4: '172.30.0.3',
      v6: 'fd30::2',
    });
  });

  it('is unknown in a family without an answer', () => {
    expect(chooseGateways(['172.30.0.2'], { v4: undefined, v6: parseIp('fd30::2') })).toEqual({
      v4: '172.30.0.2',
      v6: undefined,
    });
  });
});
