/** The map from ports to backends, from one state to another in one transaction, beside `nft -f` doing the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Netns } from '@berth/kernel/netns';
import { diff, entry, map, Nftables, type Ruleset, ruleset, table } from '@berth/kernel/nftables';
import { type BenchCase, type Row, timingRow } from '../harness/bench-case.ts';
import { measure } from '../harness/measure.ts';
import { inside } from './inside.ts';

const SIZES = [1, 100, 1_000, 10_000];
const TABLE = 'bench';
const MAP = 'ports';

type Backend = (port: number) => string;
const left: Backend = (port) => `10.1.${port >> 8}.${port & 0xff}`;
const right: Backend = (port) => `10.2.${port >> 8}.${port & 0xff}`;
/** Only the first port has moved. */
const moved: Backend = (port) => (port === 1 ? right(port) : left(port));

const desired = (size: number, backend: Backend): Ruleset =>
  ruleset(
    'berth-bench',
    table('ip', TABLE, {
      sets: [
        map(
          MAP,
          { key: 'inet_service', data: ['ipv4_addr', 'inet_service'] },
          Array.from({ length: size }, (_, index) => entry(index + 1, [backend(index + 1), index + 1])),
        ),
      ],
    }),
  );

const elementsInText = (size: number, backend: Backend): string =>
  Array.from({ length: size }, (_, index) => `${index + 1} : ${backend(index + 1)} . ${index + 1}`).join(
    ', ',
  );

const allNewInText = (size: number, backend: Backend): string =>
  `flush map ip ${TABLE} ${MAP}\nadd element ip ${TABLE} ${MAP} { ${elementsInText(size, backend)} }\n`;

const oneNewInText = (from: Backend, to: Backend): string =>
  `delete element ip ${TABLE} ${MAP} { 1 : ${from(1)} . 1 }\nadd element ip ${TABLE} ${MAP} { 1 : ${to(1)} . 1 }\n`;

export const mapReplace: BenchCase = {
  name: 'map-replace',
  about: 'A map port → address . port goes from one state to another in one transaction.',
  unit: 'ms',
  needsRoot: true,
  asShipped: true,
  async run({ quick, say, scope }) {
    const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'));
    scope.defer(() => rmSync(folder, { recursive: true, force: true }));
    const rows: Row[] = [];
    for (const size of SIZES) {
      say(`${size} elements`);
      const rounds = quick ? 5 : size >= 10_000 ? 60 : 300;
      const we = await ours(size, rounds);
      const they = await peers(folder, size, quick ? 3 : 30);
      rows.push(...we.flatMap((row, index) => [row, ...they.slice(index, index + 1)]));
    }
    return rows;
  },
};

async function ours(size: number, rounds: number): Promise<readonly Row[]> {
  using namespace = Netns.create('map-replace');
  using nftables = Nftables.open({ namespace });
  /** From the state that we know to be in force to another, as the program does it when a container has changed. */
  const between = async (work: string, from: Ruleset, to: Ruleset): Promise<Row> => {
    let generation = nftables.replace(from);
    const states = [to, from, to];
    const timing = await measure({ rounds }, (round) => {
      const [now = from, next = to] = [states[(round + 1) % 2], states[round % 2]];
      generation = nftables.commit(next, diff(now, next), generation);
    });
    return timingRow(work, 'berth: diff, commit', timing);
  };
  const all = desired(size, left);
  const allNew = await between(`${size}, all new`, all, desired(size, right));
  const oneNew = await between(`${size}, one new`, all, desired(size, moved));
  nftables.replace(all);
  const check = await measure({ rounds }, () => void nftables.reconcile(all));
  return [allNew, oneNew, timingRow(`${size}, nothing new`, 'berth: read back, compare', check)];
}

async function peers(folder: string, size: number, rounds: number): Promise<readonly Row[]> {
  using namespace = Netns.create('map-replace peers');
  using nftables = Nftables.open({ namespace });
  nftables.replace(desired(size, left));
  const written = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const alternating = (files: readonly string[]) => (round: number) =>
    void inside(namespace, 'nft', '-f', files[round % 2] ?? '');
  const all = [written('right', allNewInText(size, right)), written('left', allNewInText(size, left))];
  const allNew = await measure({ rounds, warmUp: 2 }, alternating(all));
  nftables.replace(desired(size, left));
  const one = [written('there', oneNewInText(left, right)), written('back', oneNewInText(right, left))];
  const oneNew = await measure({ rounds, warmUp: 2 }, alternating(one));
  const list = await measure(
    { rounds, warmUp: 2 },
    () => void inside(namespace, 'nft', '-j', 'list', 'ruleset'),
  );
  return [
    timingRow(`${size}, all new`, 'nft -f', allNew),
    timingRow(`${size}, one new`, 'nft -f', oneNew),
    timingRow(`${size}, nothing new`, 'nft -j list ruleset', list),
  ];
}
