import { RecordingLog } from '@berth/service/testing';
import { expect, it } from 'vitest';
import { ResourcePool } from '../placement/index.ts';
import { RoomWatch } from './room-watch.ts';

it('a disk that others fill is told of when it begins, and when it is over', async () => {
  const pool = new ResourcePool({ cpuCores: 1, memoryMb: 1, diskMb: 100 });
  pool.retainedDiskMb = 40;
  const logs = new RecordingLog();
  let freeMb = 60;
  const watch = new RoomWatch('/nowhere', pool, logs.log, async () => freeMb);
  const told = () => [
    logs.attrsOf('the disk of the volumes has less left than leases may still be given').length,
    logs.attrsOf('the disk of the volumes has again what leases may be given').length,
  ];
  await watch.look();
  expect(told(), 'just enough').toEqual([0, 0]);
  freeMb = 59;
  await watch.look();
  await watch.look();
  expect(told(), 'told once').toEqual([1, 0]);
  freeMb = 1000;
  await watch.look();
  expect(told()).toEqual([1, 1]);
  await expect(new RoomWatch('/no/such/folder', pool, logs.log).look()).rejects.toThrow('ENOENT');
});
