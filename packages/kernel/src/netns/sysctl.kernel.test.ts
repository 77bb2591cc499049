import { describe, expect, it } from 'vitest';
import { freshNamespace, inside, ip } from '../testing/namespaces.ts';
import { Netns, readSysctl, writeSysctl } from './index.ts';

describe('sysctl', () => {
  it('reads and writes the settings of a namespace, and of no other', () => {
    using namespace = freshNamespace('settings');
    const before = readSysctl('ipv4/conf/all/accept_local');
    writeSysctl('ipv4/conf/all/accept_local', before === '1' ? 0 : 1, namespace);
    expect(readSysctl('ipv4/conf/all/accept_local', namespace)).not.toBe(before);
    expect(inside(namespace, 'sysctl', '-n', 'net.ipv4.conf.all.accept_local').trim()).not.toBe(before);
    expect(readSysctl('ipv4/conf/all/accept_local', Netns.own)).toBe(before);
  });

  it('reaches the settings of a link with a dot in its name', () => {
    using namespace = freshNamespace('dotted');
    ip(namespace, 'link add eth0.5 type bridge');
    writeSysctl('ipv4/conf/eth0.5/rp_filter', 2, namespace);
    expect(readSysctl('ipv4/conf/eth0.5/rp_filter', namespace)).toBe('2');
  });

  it('answers nothing for a setting that this kernel lacks', () => {
    expect(readSysctl('ipv4/no_such_setting')).toBeUndefined();
  });

  it('refuses to write what is not there, what the kernel refuses, and what lies elsewhere', () => {
    using namespace = freshNamespace('refusals');
    expect(() => writeSysctl('ipv4/no_such_setting', 1, namespace)).toThrow(
      expect.objectContaining({ code: 'KERNEL_NOT_FOUND' }),
    );
    expect(() => writeSysctl('ipv4/ip_forward', 'perhaps', namespace)).toThrow(
      expect.objectContaining({
        code: 'KERNEL_INVALID',
        message: expect.stringContaining('writing /proc/sys/net/ipv4/ip_forward in refusals'),
      }),
    );
    for (const name of ['../kernel/hostname', '/etc/passwd', 'ipv4/./ip_forward', ''])
      expect(() => readSysctl(name)).toThrow(expect.objectContaining({ code: 'KERNEL_BAD_VALUE' }));
  });
});
