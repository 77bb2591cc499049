import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { denotes, resolveContainer, sharedNetworkOf } from './container-reference.ts';

const container = (id: string, ...names: string[]) => ({ id: id.padEnd(64, '0'), names });
const web = container('aaaaaaaaaaaa1', 'web', 'other/alias');
const twin = container('aaaaaaaaaaaa2', 'twin');
const mail = container('bbbbbbbbbbbb', 'mail', 'aaaaaaaaaaaa2');
const all = [web, twin, mail];

describe('a reference to a container', () => {
  it.each([
    ['web', web],
    ['/web', web],
    ['  mail \n', mail],
    [web.id, web],
    ['aaaaaaaaaaaa1', web],
    ['bbbbbbbbbbbb', mail],
    ['bbbbbbbbbbbb0000', mail],
  ])('%j means one container', (ref, meant) => {
    expect(resolveContainer(ref, all)).toEqual({ kind: 'found', container: meant });
    expect(denotes(ref, meant)).toBe(true);
  });

  it.each(['', ' ', '/', 'bbbbbbbbbbb', 'we', 'gone', 'b'.repeat(65)])('%j means none', (ref) => {
    expect(resolveContainer(ref, all)).toEqual({ kind: 'missing' });
    expect(all.some((one) => denotes(ref, one))).toBe(false);
  });

  it('may fit several, and then none of them is guessed', () => {
    expect(resolveContainer('aaaaaaaaaaaa', all)).toEqual({ kind: 'ambiguous', candidates: [web, twin] });
  });

  it('means a full id before a name, and a name before a short id', () => {
    expect(resolveContainer('aaaaaaaaaaaa2', all)).toEqual({ kind: 'found', container: mail });
    const impostor = container('cccccccccccc', web.id);
    expect(resolveContainer(web.id, [impostor, web])).toEqual({ kind: 'found', container: web });
  });

  it('finds every container by every way to call it', () => {
    const id = fc.stringMatching(/^[a-f0-9]{64}$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(id, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 12, max: 64 }),
        (ids, length) => {
          const some = ids.map((one, index) => ({ id: one, names: [`name-${index}`] }));
          for (const one of some) {
            for (const ref of [one.id, `/${one.names[0]}`]) {
              expect(resolveContainer(ref, some)).toEqual({ kind: 'found', container: one });
            }
            const short = resolveContainer(one.id.slice(0, length), some);
            expect(
              short.kind === 'found' ? [short.container] : short.kind === 'ambiguous' && short.candidates,
            ).toContain(one);
          }
        },
      ),
    );
  });
});

describe('a network mode', () => {
  it.each([
    ['container:web', 'web'],
    ['container: /web ', 'web'],
    [`container:${web.id}`, web.id],
    ['container:', undefined],
    ['container:  ', undefined],
    ['bridge', undefined],
    ['my-container:web', undefined],
    ['', undefined],
  ])('%j shares the network of %j', (mode, ref) => {
    expect(sharedNetworkOf(mode)).toBe(ref);
  });
});
