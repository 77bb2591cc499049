import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Netns } from '../netns/index.ts';
import { inside } from '../testing/namespaces.ts';
import { diff, Nftables, toText } from './index.ts';
import type { Shape } from './testing/shape.ts';
import { shapes } from './testing/shapes.ts';

const goldens = join(import.meta.dirname, 'goldens');
const goldenOf = ({ name }: Shape): string => join(goldens, `${name}.golden.nft`);
const updating = process.env['BERTH_UPDATE_GOLDEN'] === '1';

const folder = mkdtempSync(join(tmpdir(), 'berth-golden-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What `nft` says of a namespace, in words and as the kernel's expressions (which differ where words do not). */
function seenByNft(namespace: Netns): { readonly words: string; readonly expressions: string } {
  return {
    // How long an element has left depends on when one looks.
    words: inside(namespace, 'nft', 'list', 'ruleset').replaceAll(/ expires \w+/g, ''),
    expressions: inside(namespace, 'nft', '--debug=netlink', 'list', 'ruleset'),
  };
}

function loadedByNft({ name, ruleset }: Shape): ReturnType<typeof seenByNft> {
  using namespace = Netns.create(`${name} by nft`);
  const file = join(folder, `${name}.nft`);
  writeFileSync(file, toText(ruleset));
  inside(namespace, 'nft', '-f', file);
  return seenByNft(namespace);
}

/** Kernels number objects as they come, and `nft` makes them in another order. */
const withoutNumbers = (text: string): string =>
  text
    .replaceAll(/__(set|map)\d+/g, '__set')
    .split('\n')
    .filter((line) => /^ {2}\[/.test(line))
    .join('\n');

describe('a ruleset in the kernel', () => {
  it.each(shapes)('$name reads as its golden file, as its text, and as itself', (shape) => {
    using namespace = Netns.create(shape.name);
    using nftables = Nftables.open({ namespace });
    const { changes } = nftables.reconcile(shape.ruleset);
    expect(changes).toHaveLength(shape.ruleset.tables.length);
    const seen = seenByNft(namespace);
    if (updating) writeFileSync(goldenOf(shape), seen.words);
    expect(seen.words).toBe(readFileSync(goldenOf(shape), 'utf8'));
    const witness = loadedByNft(shape);
    expect(seen.words).toBe(witness.words);
    expect(withoutNumbers(seen.expressions)).toBe(withoutNumbers(witness.expressions));
    const { ruleset } = nftables.read(shape.ruleset.owner);
    expect(diff(ruleset, shape.ruleset)).toEqual([]);
    expect(diff(shape.ruleset, ruleset)).toEqual([]);
    expect(nftables.reconcile(shape.ruleset).changes).toEqual([]);
  });

  it('has a golden file for each shape, and no other', () => {
    const wanted = shapes.map(goldenOf);
    expect(new Set(wanted).size).toBe(wanted.length);
    if (updating) {
      for (const name of readdirSync(goldens)) {
        if (!wanted.includes(join(goldens, name))) rmSync(join(goldens, name));
      }
    }
    expect(readdirSync(goldens).sort()).toEqual(wanted.map((path) => path.slice(goldens.length + 1)).sort());
    expect(wanted.every(existsSync)).toBe(true);
  });
});
