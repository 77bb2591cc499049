import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { storeFolder } from '../testing/store-folder.ts';
import { GroupCommit } from './group-commit.ts';
import { StoreFile } from './store-file.ts';

const schema = 'CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)';
const open = (path: string, lockWaitMs = 0) => StoreFile.open({ name: 'test', path, schema, lockWaitMs });
const numbers = (path: string): number[] => {
  const db = new DatabaseSync(path, { readOnly: true });
  const all = db.prepare('SELECT n FROM numbers ORDER BY n').all();
  db.close();
  return all.map(({ n }) => Number(n));
};

describe('a store file', () => {
  it('keeps what was committed, and nothing of a transaction that failed', () => {
    using folder = storeFolder();
    const file = open(folder.path('a.db'));
    const insert = file.prepare('INSERT INTO numbers VALUES (?)');
    file.transaction(() => insert.run(1));
    expect(() =>
      file.transaction(() => {
        insert.run(2);
        throw new Error('no');
      }),
    ).toThrow('no');
    file.close();
    file.close();
    const again = open(folder.path('a.db'));
    expect(numbers(folder.path('a.db'))).toEqual([1]);
    again.close();
  });

  it('waits for the disk at every commit, and is read by others meanwhile', () => {
    using folder = storeFolder();
    const file = open(folder.path('a.db'));
    const [pragma, full] = [(name: string) => file.prepare(`PRAGMA ${name}`).get()?.[name], 2];
    expect([pragma('synchronous'), pragma('journal_mode')]).toEqual([full, 'wal']);
    file.close();
  });

  it('is only for its owner to read', () => {
    using folder = storeFolder();
    open(folder.path('a.db')).close();
    expect(statSync(folder.path('a.db')).mode & 0o777).toBe(0o600);
  });

  it('has one process at a time, by whatever path', async () => {
    using folder = storeFolder();
    mkdirSync(folder.path('real'));
    symlinkSync(folder.path('real'), folder.path('link'));
    const path = folder.path('real/a.db');
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { StoreFile } from ${JSON.stringify(new URL('./store-file.ts', import.meta.url).href)};
         globalThis.file = StoreFile.open({ name: 'test', path: ${JSON.stringify(path)}, schema: ${JSON.stringify(schema)} });
         process.stdout.write('open'); setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    expect(() => open(path)).toThrow(/the test store .* is in use by another process/);
    expect(() => open(folder.path('link/a.db'))).toThrow(/in use/);
    // The kernel frees the lock of a killed owner: nothing stays behind that would have to be removed by hand.
    child.kill('SIGKILL');
    await once(child, 'exit');
    open(path).close();
  });

  it('can be read and backed up by others while it is in use', async () => {
    using folder = storeFolder();
    const file = open(folder.path('a.db'));
    const insert = file.prepare('INSERT INTO numbers VALUES (?)');
    insert.run(1);
    expect(numbers(folder.path('a.db'))).toEqual([1]);
    const copying = file.backup(folder.path('copy.db'));
    insert.run(2);
    await copying;
    expect(numbers(folder.path('copy.db'))[0]).toBe(1);
    expect(statSync(folder.path('copy.db')).mode & 0o777).toBe(0o600);
    file.close();
  });

  it('says what is wrong with a file that is no store, and leaves it alone', () => {
    using folder = storeFolder();
    const path = folder.path('bolt.db');
    writeFileSync(path, 'this was written by something else entirely, long ago');
    expect(() => open(path)).toThrow(
      /the test store .*bolt.db cannot be opened: it is not a store of this program/,
    );
    expect(readFileSync(path, 'utf8')).toContain('something else');
    expect(() => open(folder.path('nowhere/a.db'))).toThrow(/cannot be opened: .*no such file/);
    expect(() => open('')).toThrow('the test store has no path');
  });

  it('fails its check when it cannot be written', () => {
    using folder = storeFolder();
    const file = open(folder.path('a.db'));
    file.check(1);
    file.prepare('INSERT INTO numbers VALUES (7)').run();
    // As a full disk would: not one page more.
    const pages = Number(file.prepare('PRAGMA page_count').get()?.['page_count']);
    file.prepare(`PRAGMA max_page_count = ${pages}`).get();
    const fill = file.prepare('INSERT INTO numbers VALUES (?)');
    expect(() => {
      for (let n = 100; n < 100_000; n++) fill.run(n);
    }).toThrow('full');
    file.close();
  });
});

describe('a group commit', () => {
  it('makes changes of one turn durable together, in their order', async () => {
    using folder = storeFolder();
    const file = open(folder.path('a.db'));
    const commits = new GroupCommit(file);
    const insert = file.prepare('INSERT INTO numbers VALUES (?)');
    const order: number[] = [];
    const all = [3, 1, 2].map((n) =>
      commits.commit({
        apply: () => {
          order.push(n);
          insert.run(n);
        },
      }),
    );
    expect(numbers(folder.path('a.db'))).toEqual([]);
    await Promise.all(all);
    expect(order).toEqual([3, 1, 2]);
    expect(numbers(folder.path('a.db'))).toEqual([1, 2, 3]);
    file.close();
  });

  it('lets a change that cannot be made fail alone', async () => {
    using folder = storeFolder();
    const file = open(folder.path('a.db'));
    const commits = new GroupCommit(file);
    const insert = file.prepare('INSERT INTO numbers VALUES (?)');
    const results = await Promise.allSettled(
      [1, 1, 2].map((n) => commits.commit({ apply: () => void insert.run(n) })),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(numbers(folder.path('a.db'))).toEqual([1, 2]);
    file.close();
  });

  it('says so to everybody when nothing can be written', async () => {
    using folder = storeFolder();
    const file = open(folder.path('a.db'));
    const commits = new GroupCommit(file);
    file.close();
    const results = await Promise.allSettled([1, 2].map(() => commits.commit({ apply: () => undefined })));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
