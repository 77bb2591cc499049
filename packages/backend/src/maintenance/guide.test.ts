/** The commands of the guide on storage, in the order of the page, as somebody would type them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { runCommandLine } from '../cli/index.ts';
import { ReleaseStore, RetentionStore } from '../stores/index.ts';
import { storeFolder } from '../testing/store-folder.ts';

const page = join(import.meta.dirname, '../../../../docs/guides/docker-backend-kept-data.md');

const commands = [...readFileSync(page, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)]
  .flatMap(([, block = '']) => block.split('\n'))
  .filter((line) => line !== '')
  .map((line) => line.split(' '));

it('does what the page says', async () => {
  using folder = storeFolder();
  const store = (name: string): string => `${name}_db_path: ${folder.path(`${name}.db`)}\n`;
  writeFileSync(
    folder.path('backend.yaml'),
    `sku_profiles: {small: {cpu_cores: 1, memory_mb: 64}}\ncallback_secret: "at-least-thirty-two-characters-long"\nhost_address: 203.0.113.10\n${['callback', 'diagnostics', 'releases', 'retention'].map(store).join('')}`,
  );
  mkdirSync(folder.path('earlier'));
  for (const name of ['callbacks', 'diagnostics', 'releases', 'retention'])
    writeFileSync(
      folder.path(`earlier/${name}.db`),
      gunzipSync(readFileSync(join(dirname(import.meta.dirname), 'import', 'fixtures', `${name}.db.gz`))),
    );
  new ReleaseStore(folder.path('releases.db')).file.close();
  new RetentionStore(folder.path('retention.db')).file.close();
  const places = new Set(['backend.yaml', 'copies', 'earlier']);
  const said: string[] = [];
  for (const [program, ...argv] of commands) {
    expect(program).toBe('docker-backend');
    let out = '';
    const code = await runCommandLine(
      argv.map((word) => (places.has(word) ? folder.path(word) : word)),
      {
        env: {},
        build: { version: '1', commit: '' },
        out: (text) => {
          out += text;
        },
        err: (text) => {
          out += text;
        },
        serve: async () => 0,
      },
    );
    expect(code, `${argv.join(' ')}: ${out}`).toBe(0);
    said.push(`${argv.filter((word) => !word.startsWith('backend')).join(' ')}: ${out.split('\n')[0]}`);
  }
  expect(said).toEqual([
    expect.stringContaining('is good'),
    expect.stringContaining('config print'),
    expect.stringContaining('copies/releases.db'),
    expect.stringContaining('0 kept volumes'),
    expect.stringContaining('0 kept volumes'),
    expect.stringContaining('40 would be brought over'),
    expect.stringContaining('40 brought over'),
  ]);
});
