import type { Netns } from '@berth/kernel/netns';
import { writeSysctl } from '@berth/kernel/netns';
import { freshNamespace } from '@berth/kernel/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { checkForwarding } from './forwarding.ts';

let namespace: Netns;
beforeEach(() => {
  namespace = freshNamespace('an anchor without sysctls');
});
afterEach(() => namespace[Symbol.dispose]());

it('is told as a problem of each family as long as the kernel does not forward, and once in the log', () => {
  const parts = testParts();
  writeSysctl('ipv4/ip_forward', 0, namespace);
  writeSysctl('ipv6/conf/all/forwarding', 0, namespace);
  checkForwarding(parts, namespace);
  checkForwarding(parts, namespace);
  expect(parts.problems.list().map(({ code, subject }) => [code, subject])).toEqual([
    ['forwarding-off', 'v4'],
    ['forwarding-off', 'v6'],
  ]);
  expect(parts.recording.lines.map(({ attrs }) => attrs['sysctl'])).toEqual([
    'net.ipv4.ip_forward',
    'net.ipv6.conf.all.forwarding',
  ]);

  writeSysctl('ipv4/ip_forward', 1, namespace);
  checkForwarding(parts, namespace);
  expect(parts.problems.list().map(({ subject }) => subject)).toEqual(['v6']);
});
