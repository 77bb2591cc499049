/** The examples, brought up by the commands of their guides, and nothing else. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Example } from '../src/example.ts';
import { Harbour } from '../src/harbour.ts';

let harbour: Harbour;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-examples-'));
  harbour = await Harbour.open();
  // A host has one network for each LAN, and the guide makes it.
  await harbour.host.docker('network', 'rm', harbour.lan);
});
afterAll(async () => {
  await harbour?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe('greenfield: a mail stack with an address of its own', () => {
  const page = 'anchord-greenfield.md';

  it('is reached at its ports, with real client addresses, and looked at as the guide says', async () => {
    await using example = await Example.open(harbour, 'greenfield', {
      applications: {
        SMTP_IMAGE: ['25/tcp', '465/tcp', '587/tcp'],
        IMAP_IMAGE: ['143/tcp', '993/tcp'],
        DATABASE_IMAGE: ['3306/tcp'],
      },
      projects: { mail: [] },
      networks: ['lan'],
    });
    await example.follow(page, /^docker network create|^sysctl|docker compose up/);
    for (const port of [25, 465, 587, 143, 993]) {
      const greeting = await harbour.reach(4, { host: 50, port, timeoutMs: 60_000 });
      expect(greeting).toMatchObject({ source: harbour.clientAddress(4), port });
    }
    expect((await harbour.reach(4, { host: 50, from: 'inet' })).source).toBe(
      harbour.clientAddress(4, 'inet'),
    );
    await expect(harbour.reach(4, { host: 50, port: 3306, timeoutMs: 1_000 })).rejects.toThrow(
      'an answer from',
    );
    const [tables, log, health] = await example.follow(page, /^docker (exec|logs|inspect)/);
    expect(tables).toContain('map dnat_tcp');
    expect(log).toContain('"msg":"reconciled"');
    expect(health).toMatch(/^(starting|healthy)\n$/);

    const troubleshooting = 'anchord-troubleshooting.md';
    const [status, diagnosis] = await example.follow(troubleshooting, /^docker/);
    expect(status).toContain('tcp/587');
    expect(diagnosis).not.toContain('PROBLEM');
    const file = join(folder, 'anchord.env');
    await writeFile(file, 'ANCHORD_PROJECT=mail\nANCHORD_EXT_NETWORK=lan\n');
    const names = { NAME: 'mail-anchord-1', FILE: file };
    const [inside, outside, checked, printed] = await example.ask(troubleshooting, /anchord/, names);
    expect(inside).toContain('The network-anchor in this container');
    expect(outside).not.toContain('PROBLEM');
    expect(checked).toContain('the settings of network-anchor can be used');
    expect(printed).toMatch(/ANCHORD_EXT_NETWORK +environment +lan/);
  });
});

describe('wrap: a stack of somebody else', () => {
  it('is reached at an address of its own, and its file is not touched', async () => {
    await using example = await Example.open(harbour, 'wrap', {
      applications: { WEB_IMAGE: ['80/tcp'] },
      projects: { app: ['wrapped.compose.yaml', 'wrapped.override.yaml'], 'app-wrap': [] },
      networks: ['wrap_transit', 'lan'],
    });
    await example.follow('anchord-greenfield.md', /^docker network create|^sysctl/);
    await example.follow('anchord-wrap.md', /^docker network create|docker compose .*up -d$/);
    const greeting = await harbour.reach(4, { host: 51, port: 80, timeoutMs: 60_000 });
    expect(greeting).toMatchObject({ source: harbour.clientAddress(4), port: 80 });
  });
});

describe('multi-identity: two servers in one compose file', () => {
  it('each answer at their own address, and only there', async () => {
    await using example = await Example.open(harbour, 'multi-identity', {
      applications: { DIRECTORY_IMAGE: ['6636/tcp'], SITE_IMAGE: ['80/tcp'] },
      projects: { office: [] },
      networks: ['lan'],
    });
    await example.follow('anchord-greenfield.md', /^docker network create|^sysctl/);
    await example.follow('anchord-multi-identity.md', /docker compose .*up -d$/);
    const [directory, site] = await Promise.all([
      harbour.reach(4, { host: 52, port: 636, timeoutMs: 60_000 }),
      harbour.reach(4, { host: 53, port: 80, timeoutMs: 60_000 }),
    ]);
    expect(directory).toMatchObject({ source: harbour.clientAddress(4), port: 6636 });
    expect(site).toMatchObject({ source: harbour.clientAddress(4), port: 80 });
    await expect(harbour.reach(4, { host: 52, port: 80, timeoutMs: 1_000 })).rejects.toThrow(
      'an answer from',
    );
  });
});
