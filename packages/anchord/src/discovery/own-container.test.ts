import { describe, expect, it } from 'vitest';
import { ownContainerReferences } from './own-container.ts';

const own = 'a'.repeat(64);
const other = 'b'.repeat(64);
const layer = 'c'.repeat(64);

const mounts = (id: string) =>
  [
    `2080 1970 0:321 / / rw,relatime - overlay overlay rw,upperdir=/var/lib/docker/overlay2/${layer}/diff`,
    `2081 2080 254:0 /var/lib/docker/containers/${id}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw`,
    `2082 2080 254:0 /var/lib/docker/containers/${id}/hostname /etc/hostname rw - ext4 /dev/vda rw`,
  ].join('\n');

describe('own container', () => {
  it('is found by cgroup version 1, mounts and host name, in this order, each once', () => {
    const cgroup = `12:pids:/docker/${own}\n11:memory:/docker/${own}\n0::/system.slice/containerd.service\n`;
    expect(
      ownContainerReferences({ cgroup, mountinfo: mounts(own), hostname: 'mail.example.org\n' }),
    ).toEqual([own, 'mail.example.org']);
  });

  it('is found by the mounted files where a private cgroup namespace hides the path', () => {
    expect(ownContainerReferences({ cgroup: '0::/\n', mountinfo: mounts(own), hostname: 'x' })).toEqual([
      own,
      'x',
    ]);
  });

  it('is found in a systemd scope', () => {
    const cgroup = `0::/system.slice/docker-${own}.scope\n`;
    expect(ownContainerReferences({ cgroup, mountinfo: '', hostname: '' })).toEqual([own]);
  });

  it('puts the cgroup before the files of a container that we only joined', () => {
    const cgroup = `1:name=systemd:/docker/${own}\n`;
    expect(ownContainerReferences({ cgroup, mountinfo: mounts(other), hostname: 'h' })).toEqual([
      own,
      other,
      'h',
    ]);
  });

  it('takes the inner of two containers that run in one another', () => {
    const cgroup = `3:cpu:/docker/${other}/docker/${own}\n`;
    expect(ownContainerReferences({ cgroup, mountinfo: '', hostname: '' })).toEqual([own]);
  });

  it('takes neither image layers nor longer hex strings for ids', () => {
    const mountinfo = `1 2 0:3 /var/lib/docker/overlay2/${layer}/hostname /etc/hostname rw - ext4 x rw`;
    expect(ownContainerReferences({ cgroup: `0::/${own}${own}\n`, mountinfo, hostname: '' })).toEqual([]);
  });
});
