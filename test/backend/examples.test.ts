/** What deploy/ offers to begin with is good as it stands. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configFrom, configWarnings, parseManifest, readConfig } from '@berth/backend';
import { describe, expect, it } from 'vitest';
import { commandsOf } from '../src/guide.ts';

const folder = join(import.meta.dirname, '..', '..', 'deploy', 'examples', 'docker-backend');
const json = async (name: string) => JSON.parse(await readFile(join(folder, name), 'utf8'));

describe('the example of docker-backend', () => {
  it('has a configuration without a mistake, an unknown key or a warning', async () => {
    const reading = await readConfig(join(folder, 'docker-backend.yaml'), {});
    expect([reading.problems, reading.unknown]).toEqual([[], []]);
    expect(configWarnings(configFrom(reading))).toEqual([]);
  });

  it('has a lease whose payload is the manifest beside it, and a tier of the configuration', async () => {
    const lease = await json('lease.json');
    const payload = Buffer.from(lease.payload, 'base64');
    expect(JSON.parse(payload.toString('utf8'))).toEqual(await json('manifest.json'));
    const { stack } = parseManifest(payload);
    expect([...stack.services.keys()]).toEqual([lease.items[0].service_name]);
    const { catalogue } = configFrom(await readConfig(join(folder, 'docker-backend.yaml'), {}));
    expect(catalogue.mapping.get(lease.items[0].sku)).toBe('small');
    expect((await json('close.json')).lease_uuid).toBe(lease.lease_uuid);
  });
});

describe('the README', () => {
  it('has no command for docker-backend that its guide, which is followed on a real host, does not have', async () => {
    const commands = (await commandsOf('../../README.md')).map(({ text }) => text);
    const ours = commands.filter((text) => text.includes('docker-backend'));
    expect(ours.length).toBeGreaterThan(3);
    const followed = (await commandsOf('docker-backend.md')).map(({ text }) => text);
    expect(ours.filter((text) => !followed.includes(text))).toEqual([]);
  });
});
