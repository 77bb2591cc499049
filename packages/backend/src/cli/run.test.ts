import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { storeFolder } from '../testing/store-folder.ts';
import { runCommandLine } from './run.ts';

const good = `
sku_profiles:
  small: {cpu_cores: 0.5, memory_mb: 512}
callback_secret: "at-least-thirty-two-characters-long"
host_address: 203.0.113.10
`;

/** Runs the program with a configuration file that has this text; none when it is undefined. */
async function run(argv: readonly string[], yaml?: string, env: Record<string, string> = {}) {
  using folder = storeFolder();
  const file = folder.path('backend.yaml');
  if (yaml !== undefined) writeFileSync(file, yaml);
  const said = { out: '', err: '', served: [] as string[] };
  const code = await runCommandLine(
    argv.map((word) => (word === 'FILE' ? file : word)),
    {
      env,
      build: { version: '1.2.3', commit: 'abc' },
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      serve: async (configFile) => {
        said.served.push(configFile.replace(file, 'FILE'));
        return 7;
      },
    },
  );
  const hidden = (text: string): string => text.replaceAll(file, 'FILE');
  return { code, out: hidden(said.out), err: hidden(said.err), served: said.served };
}

describe('docker-backend', () => {
  it('says its version in one line, without reading a configuration', async () => {
    expect(await run(['-version', '-config', 'FILE'])).toMatchObject({
      code: 0,
      out: 'docker-backend version 1.2.3\n',
      err: '',
    });
  });

  it('explains itself on -help, and with exit code 2 when it is not understood', async () => {
    expect(await run(['-h'])).toMatchObject({ code: 0, out: expect.stringContaining('Usage:'), err: '' });
    expect(await run(['-nonsense'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^unknown flag: -nonsense\n\nUsage:/),
    });
  });

  it('serves with the file that is named, or docker-backend.yaml, and ends with the exit code of that', async () => {
    expect(await run(['-config', 'FILE'])).toMatchObject({ code: 7, served: ['FILE'] });
    expect(await run([])).toMatchObject({ code: 7, served: ['docker-backend.yaml'] });
  });
});

describe('docker-backend config check', () => {
  it('finds nothing wrong with a good file', async () => {
    expect(await run(['config', 'check', '-config', 'FILE'], good)).toEqual({
      code: 0,
      out: 'FILE is good\n',
      err: '',
      served: [],
    });
  });

  it('says everything that is wrong at once, each with its key and line', async () => {
    const bad = `${good}name: ""\ntotal_cpu_cores: -1\nprovision_timeout: soon\n`;
    const { code, out, err } = await run(['config', 'check', '-config', 'FILE'], bad);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^FILE:6:7: name /),
      expect.stringMatching(/^FILE:7:18: total_cpu_cores /),
      expect.stringMatching(/^FILE:8:20: invalid provision_timeout: /),
    ]);
  });

  it('warns of keys that have no effect, and of what is hardly meant', async () => {
    const odd = `${good}total_cpu_core: 4\nmax_retained_disk_mb: 100\n`;
    const { code, err } = await run(['config', 'check', '-config', 'FILE'], odd);
    expect(code).toBe(0);
    expect(err).toContain(
      'total_cpu_core in line 6 is no known key and has no effect; is total_cpu_cores meant?',
    );
    expect(err).toContain('retain_on_close is false');
  });

  it('names a file that is not there', async () => {
    expect(await run(['config', 'check', '-config', 'FILE'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('FILE'),
    });
  });
});

describe('docker-backend config print', () => {
  it('shows what is in effect, variables included, and never the secret', async () => {
    const secret = 'another-secret-of-thirty-two-characters';
    const { code, out } = await run(['config', 'print', '-config', 'FILE'], good, {
      DOCKER_BACKEND_ADDR: ':7000',
      DOCKER_BACKEND_CALLBACK_SECRET: secret,
    });
    expect(code).toBe(0);
    const lines = out.split('\n');
    expect(lines).toContain('callback_secret: [REDACTED]');
    expect(lines).toContain('listen_addr: :7000');
    expect(lines).toContain('name: docker  # default');
    expect(out).not.toContain(secret);
    expect(out).not.toContain('at-least-thirty-two');
  });

  it('shows nothing of a file that cannot be used', async () => {
    expect(await run(['config', 'print', '-config', 'FILE'], 'name: x\n')).toMatchObject({
      code: 1,
      out: '',
    });
  });
});
