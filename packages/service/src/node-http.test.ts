import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const folder = import.meta.dirname;

/** Which of Node's own modules a program has loaded at its end. */
async function loadedBy(program: string): Promise<readonly string[]> {
  const source = `${program}\nprocess.stdout.write(JSON.stringify(process.moduleLoadList));`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module-typescript',
    '--eval',
    source,
  ]);
  return JSON.parse(stdout);
}

const FETCH = 'NativeModule internal/deps/undici/undici';

// Each starts a process, and the machine may be busy.
describe('node:http, the cheap way', () => {
  it('is there without fetch, which an import statement brings along', async () => {
    const cheap = await loadedBy(
      `import { nodeHttp } from ${JSON.stringify(join(folder, 'index.ts'))}; nodeHttp();`,
    );
    expect(cheap).toContain('NativeModule http');
    expect(cheap).not.toContain(FETCH);
    expect(await loadedBy(`await import('node:http');`)).toContain(FETCH);
  });

  it('is how everything that a daemon is built on loads it', async () => {
    const parts = [
      'index.ts',
      'config/index.ts',
      'http/index.ts',
      'lifecycle/index.ts',
      'log/index.ts',
      'metrics/index.ts',
    ];
    const imports = parts.map((part) => `import ${JSON.stringify(join(folder, part))};`).join('\n');
    const loaded = await loadedBy(imports);
    for (const dear of [FETCH, 'NativeModule tls', 'NativeModule crypto', 'NativeModule zlib'])
      expect(loaded).not.toContain(dear);
    expect(loaded).not.toContain('NativeModule http');
  });
});
