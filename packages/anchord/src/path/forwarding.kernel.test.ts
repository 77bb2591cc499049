import { Netns, writeSysctl } from '@berth/kernel/netns';
import { describe, expect, it } from 'vitest';
import { testParts } from '../testing/program.ts';
import { checkForwarding } from './index.ts';

describe('forwarding', () => {
  it('is missed where the namespace does not forward, in the families that are used, and no longer once it does', () => {
    using namespace = Netns.create('forwarding');
    for (const name of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) writeSysctl(name, 0, namespace);
    const { problems, recording, log } = testParts();
    const open = () => problems.of('forwarding-off').map(({ subject, detail }) => `${subject}: ${detail}`);

    checkForwarding({ log, problems, namespace, inUse: { v4: true, v6: false } });
    expect(open()).toEqual(['v4: net.ipv4.ip_forward is 0']);
    checkForwarding({ log, problems, namespace, inUse: { v4: true, v6: true } });
    expect(open()).toEqual(['v4: net.ipv4.ip_forward is 0', 'v6: net.ipv6.conf.all.forwarding is 0']);
    expect(recording.messages().filter((msg) => msg === 'forwarding is switched off')).toHaveLength(2);

    for (const name of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) writeSysctl(name, 1, namespace);
    checkForwarding({ log, problems, namespace, inUse: { v4: true, v6: true } });
    expect(open()).toEqual([]);
  });
});
