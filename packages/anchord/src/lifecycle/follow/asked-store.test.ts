import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AskedFile } from './asked-store.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-asked-'));
  path = join(folder, 'deep', 'follower.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('gives the next process what the last one has written down', () => {
  const endpoint = { Aliases: ['mail'], IPAMConfig: { IPv4Address: '172.29.5.200' } };
  const asked = { follower: 'c'.repeat(64), network: 'peer', endpoint };
  expect(new AskedFile(path).load()).toBeUndefined();
  new AskedFile(path).save({ ...asked, endpoint: {} });
  new AskedFile(path).save(asked);
  expect(new AskedFile(path).load()).toEqual(asked);
});

it.each([
  '',
  'null',
  '[]',
  '{"follower":"c","network":"peer"}',
  '{"follower":1,"network":"peer","endpoint":{}}',
])('takes %j for nothing', (text) => {
  path = join(folder, 'follower.json');
  writeFileSync(path, text);
  expect(new AskedFile(path).load()).toBeUndefined();
});
