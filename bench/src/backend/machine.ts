/**
 * The lease machine with the store in the loop: every transition is on disk (fsync of each commit) before it counts, as in the
 * program. The work of each operation ends at once, so what is left is the machine, its actors and the store.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  GroupCommit,
  LeaseBook,
  type LeaseEvent,
  LeaseRegistry,
  type LeaseWork,
  ReleaseStore,
  ResourcePool,
  transition,
} from '@berth/backend';
import { type Scope, systemClock } from '@berth/service';
import { createLog, textFormat } from '@berth/service/log';
import type { BenchCase, Row } from '../harness/bench-case.ts';
import { type LeaseParts, leaseParts, uuidOf } from './leases.ts';

/** Does nothing, and is done. */
const instantWork: LeaseWork = {
  provision: async ({ items }) => ({ kind: 'provisioned', items }),
  replace: async ({ images }) => ({ kind: 'replaced', images }),
  diagnose: async () => ({ detail: '', logs: {} }),
  deprovision: async () => ({ kind: 'closed', retained: false }),
  confirmDeath: async () => undefined,
  rediscover: async () => undefined,
  tidy: async () => undefined,
  staysOf: async () => [],
  findDeath: async () => undefined,
};

/** What happens to a lease: provision, update and close, six transitions in all. */
type Life = (lease: LeaseParts) => Promise<void>;
const transitionsOfLife = 6;

function openBook(scope: Scope, folder: string): LeaseBook {
  const store = new ReleaseStore(join(folder, 'releases.db'));
  scope.defer(() => store.file.close());
  return new LeaseBook(store, new GroupCommit(store.file));
}

/** The table and the store, and nothing else. As in the program, no lease waits for its debt to be cleared. */
function bareMachine(scope: Scope, folder: string): Life {
  const book = openBook(scope, folder);
  let operations = 0;
  let cleared = Promise.resolve();
  // Commits come in their order: the last one is the last of all.
  scope.defer(() => cleared);
  const step = async (uuid: string, event: LeaseEvent): Promise<void> => {
    const nowMs = Date.now();
    const made = transition(book.get(uuid), event, nowMs);
    if (typeof made === 'string') throw new Error(`${event.name} was ${made}`);
    const { lease, owed, history } = made;
    await book.commit({ uuid, lease, owed, history, nowMs });
    if (owed !== undefined) cleared = book.settle(uuid);
  };
  return async ({ uuid, lease, manifest, update }) => {
    let operationId = String(++operations);
    await step(uuid, { name: 'ProvisionRequested', operationId, lease, manifest });
    await step(uuid, { name: 'ProvisionCompleted', operationId, items: lease.items });
    operationId = String(++operations);
    await step(uuid, { name: 'UpdateRequested', operationId, ...update });
    await step(uuid, { name: 'ReplaceCompleted', operationId, images: lease.images });
    operationId = String(++operations);
    await step(uuid, { name: 'DeprovisionRequested', operationId });
    await step(uuid, { name: 'DeprovisionCompleted', operationId, retained: false });
  };
}

/** The same as requests to actors, with work that is stopped and joined, a pool, and a log. */
function withActors(scope: Scope, folder: string): Life {
  const waiting = new Map<string, () => void>();
  let operations = 0;
  const registry = new LeaseRegistry({
    scope,
    clock: systemClock,
    log: createLog({
      sink: { write: () => undefined, flush: () => undefined, takeDropped: () => 0 },
      format: textFormat,
      level: 'info',
    }),
    book: openBook(scope, folder),
    pool: new ResourcePool({ cpuCores: 1e9, memoryMb: 1e9, diskMb: 1e9 }, undefined),
    work: instantWork,
    newOperationId: () => String(++operations),
    outlets: {
      keepDiagnostics: async () => undefined,
      dropDiagnostics: async () => undefined,
      settleRestore: async () => undefined,
      enqueue: async () => undefined,
      deliver: (uuid) => waiting.get(uuid)?.(),
      deliverUnstored: () => undefined,
    },
    meter: {
      transition: () => undefined,
      actorCreated: () => undefined,
      actorPanicked: () => undefined,
      workPanicked: () => undefined,
      outcomeDropped: () => undefined,
      deathDropped: () => undefined,
    },
  });
  const refusal = () => new Error('refused');
  return async ({ uuid, lease, manifest, update }) => {
    const { signal } = new AbortController();
    const told = (): Promise<void> => new Promise((resolve) => waiting.set(uuid, resolve));
    const ask = async (prepare: (_: unknown, operationId: string) => LeaseEvent): Promise<void> => {
      const heard = told();
      await registry.request(uuid, { prepare, refusal }, signal);
      await heard;
    };
    await ask((_, operationId) => ({ name: 'ProvisionRequested', operationId, lease, manifest }));
    await ask((_, operationId) => ({ name: 'UpdateRequested', operationId, ...update }));
    const prepare = (_: unknown, operationId: string): LeaseEvent => ({
      name: 'DeprovisionRequested',
      operationId,
    });
    const heard = told();
    await registry.close(uuid, { prepare, refusal }, signal);
    await heard;
  };
}

/** The limit of the disk and the library: as many rows of that size, in as large commits. */
function bareRows(scope: Scope, folder: string): Life {
  const db = new DatabaseSync(join(folder, 'bare.db'));
  scope.defer(() => db.close());
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE rows (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID');
  const put = db.prepare('INSERT OR REPLACE INTO rows VALUES (?, ?)');
  const value = 'x'.repeat(600);
  let turn: Promise<void> | undefined;
  const nextTurn = async (): Promise<void> => {
    db.exec('BEGIN IMMEDIATE');
    await new Promise((resolve) => setImmediate(resolve));
    db.exec('COMMIT');
    turn = undefined;
  };
  return async ({ uuid }) => {
    for (let row = 0; row < transitionsOfLife; row++) {
      turn ??= nextTurn();
      put.run(uuid, value);
      await turn;
    }
  };
}

const subjects: Readonly<Record<string, (scope: Scope, folder: string) => Life>> = {
  'berth, machine and store': bareMachine,
  'berth, with actors and log': withActors,
  'sqlite, one row each': bareRows,
};

export const machine: BenchCase = {
  name: 'lease-machine',
  about:
    'Transitions of the lease machine a second, each durable before it counts; beside bare rows in the same commits.',
  unit: 'transitions; cpu: microseconds each',
  needsRoot: false,
  async run({ scope, quick, say }) {
    const rows: Row[] = [];
    for (const leases of quick ? [1, 100] : [1, 100, 1000, 5000]) {
      const lives = quick ? 1000 : leases === 1 ? 500 : 40_000;
      for (const [by, open] of Object.entries(subjects)) {
        say(`${leases} at once, ${by}`);
        await using part = scope.child(by);
        const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
        part.defer(() => rmSync(folder, { recursive: true, force: true }));
        rows.push({
          work: `${leases} leases at once`,
          by,
          figures: await rate(open(part, folder), leases, lives),
        });
      }
    }
    return rows;
  },
};

async function rate(live: Life, leases: number, lives: number): Promise<Row['figures']> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const rounds = Math.ceil(lives / leases);
  await Promise.all(
    Array.from({ length: leases }, async (_, n) => {
      const parts = leaseParts(uuidOf(n));
      for (let round = 0; round < rounds; round++) await live(parts);
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const transitions = leases * rounds * transitionsOfLife;
  return { 'per second': transitions / seconds, cpu: (user + system) / transitions, seconds };
}
