import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Netns } from '../netns/index.ts';
import { freshNamespace, inside } from '../testing/namespaces.ts';
import { loadRules } from '../testing/ruleset-file.ts';
import {
  accept,
  baseChain,
  type Chain,
  chain,
  commented,
  count,
  counter,
  dnat,
  drop,
  element,
  entry,
  inSet,
  jump,
  lookUp,
  map,
  match,
  type NamedMap,
  Nftables,
  priorities,
  type Rule,
  type Ruleset,
  rule,
  ruleset,
  set,
  type Table,
  table,
} from './index.ts';

let namespace: Netns;
let nftables: Nftables;
beforeEach(() => {
  namespace = freshNamespace('nftables');
  nftables = Nftables.open({ namespace });
});
afterEach(() => {
  nftables[Symbol.dispose]();
  namespace[Symbol.dispose]();
});

const nft = (...args: readonly string[]): string => inside(namespace, 'nft', ...args);
const listed = (): string => nft('list', 'ruleset');

const ports = (...elements: NamedMap['elements']): NamedMap =>
  map('ports', { key: 'inet_service', data: ['ipv4_addr', 'inet_service'] }, elements);

const input = (...rules: readonly Rule[]): Chain =>
  baseChain('input', { type: 'filter', hook: 'input', priority: priorities.filter }, rules);

const ours = (...tables: readonly Table[]): Ruleset => ruleset('anchord', ...tables);

const two = ours(
  table('ip', 'anchord_v4', {
    sets: [ports(entry(80, ['172.20.0.5', 8080]))],
    chains: [input(rule(accept))],
  }),
  table('ip6', 'anchord_v6', { chains: [input(rule(drop))] }),
);

const withPorts = (...elements: NamedMap['elements']): Ruleset =>
  ours(table('ip', 'anchord_v4', { sets: [ports(...elements)] }));

const withRules = (...rules: readonly Rule[]): Ruleset =>
  ours(table('ip', 'anchord_v4', { counters: [counter('seen')], chains: [chain('next'), input(...rules)] }));

const tallied = (packets: number): Rule =>
  rule({ kind: 'counter', tally: { packets, bytes: 100 * packets } });

describe('reconcile', () => {
  it('puts both families in force and then leaves them alone', () => {
    const first = nftables.reconcile(two);
    expect(first.changes.map(({ change }) => change)).toEqual(['add-table', 'add-table']);
    expect(nftables.tables()).toEqual([
      { family: 'ip', name: 'anchord_v4', owner: 'anchord' },
      { family: 'ip6', name: 'anchord_v6', owner: 'anchord' },
    ]);
    const second = nftables.reconcile(two);
    expect(second).toEqual({ changes: [], generation: first.generation });
    expect(nftables.generation()).toBe(first.generation);
  });

  it('changes the elements that differ and no others', () => {
    nftables.reconcile(withPorts(entry(80, ['172.20.0.5', 8080]), entry(25, ['172.20.0.6', 25])));
    const wanted = withPorts(
      entry(80, ['172.20.0.7', 8080]),
      entry(25, ['172.20.0.6', 25]),
      entry(53, ['172.20.0.5', 53]),
    );
    const { changes } = nftables.reconcile(wanted);
    expect(changes).toMatchObject([
      { change: 'delete-elements', elements: [{ key: [80], data: ['172.20.0.5', 8080] }] },
      { change: 'add-elements', elements: [{ key: [80] }, { key: [53] }] },
    ]);
    expect(nftables.read('anchord').ruleset.tables[0]?.sets[0]?.elements).toHaveLength(3);
    expect(nft('get', 'element', 'ip', 'anchord_v4', 'ports', '{ 80 }')).toContain('80 : 172.20.0.7 . 8080');
  });

  it('keeps the rules that stay, with what they have counted, whatever comes and goes around them', () => {
    nftables.reconcile(withRules(tallied(1), rule(match('tcp dport', 1), drop), tallied(2), rule(accept)));
    const before = nftables.read('anchord').ruleset.tables[0]?.chains[1]?.rules ?? [];
    nftables.reconcile(
      withRules(
        rule(match('tcp dport', 9), drop),
        tallied(0),
        rule(drop),
        tallied(0),
        commented('new', accept),
      ),
    );
    const after = nftables.read('anchord').ruleset.tables[0]?.chains[1]?.rules ?? [];
    expect(after.map(({ statements: [first] }) => first?.kind)).toEqual([
      'match',
      'counter',
      'verdict',
      'counter',
      'verdict',
    ]);
    expect([after[1], after[3]]).toEqual([before[0], before[2]]);
    expect(after[1]?.statements).toEqual([{ kind: 'counter', tally: { packets: 1, bytes: 100 } }]);
  });

  it('changes a policy in place', () => {
    nftables.reconcile(withRules(tallied(5)));
    const [one] = withRules(tallied(5)).tables;
    const closed = baseChain('input', { type: 'filter', hook: 'input', priority: 0, policy: 'drop' }, [
      tallied(5),
    ]);
    const { changes } = nftables.reconcile(ours({ ...one!, chains: [chain('next'), closed] }));
    expect(changes.map(({ change }) => change)).toEqual(['set-policy']);
    expect(listed()).toContain('policy drop');
    expect(listed()).toContain('counter packets 5 bytes 500');
  });

  it('repairs what others did, and nothing else', () => {
    nftables.reconcile(two);
    loadRules(namespace, 'table ip other {\n chain c {\n }\n}\n');
    nft('delete', 'element', 'ip', 'anchord_v4', 'ports', '{ 80 }');
    nft('add', 'rule', 'ip6', 'anchord_v6', 'input', 'meta', 'skuid', '0', 'accept');
    expect(nftables.reconcile(two).changes).toMatchObject([
      { change: 'add-elements', elements: [{ key: [80] }] },
      { change: 'delete-rule', chain: 'input' },
    ]);
    nft('flush', 'ruleset');
    expect(nftables.reconcile(two).changes.map(({ change }) => change)).toEqual(['add-table', 'add-table']);
  });

  it('deletes tables of its owner that are not wanted any more, and only those', () => {
    nftables.reconcile(two);
    nftables.reconcile(ruleset('somebody', table('ip', 'theirs')));
    const [first] = two.tables;
    expect(nftables.reconcile(ours(first!)).changes).toEqual([
      { change: 'delete-table', table: { family: 'ip6', name: 'anchord_v6' } },
    ]);
    expect(nftables.tables().map(({ name }) => name)).toEqual(['anchord_v4', 'theirs']);
  });

  it('leaves alone what rules put into a dynamic set', () => {
    const dynamic = set('recent', { key: 'ipv4_addr', dynamic: true, timeoutMs: 60_000, size: 10 });
    const wanted = ours(table('ip', 'anchord_v4', { sets: [dynamic] }));
    nftables.reconcile(wanted);
    nft('add', 'element', 'ip', 'anchord_v4', 'recent', '{ 10.0.0.1 }');
    expect(nftables.reconcile(wanted).changes).toEqual([]);
    expect(nftables.read('anchord').ruleset.tables[0]?.sets[0]?.elements).toMatchObject([
      { key: ['10.0.0.1'] },
    ]);
  });

  it('makes a table anew, in one transaction, when something in it cannot be changed in place', () => {
    nftables.reconcile(two);
    const [first, second] = two.tables;
    const other = map('ports', { key: 'inet_service', data: 'ipv4_addr' }, [entry(80, '172.20.0.5')]);
    const { changes, generation } = nftables.reconcile(ours({ ...first!, sets: [other] }, second!));
    expect(changes).toEqual([
      {
        change: 'replace-table',
        table: { family: 'ip', name: 'anchord_v4' },
        because: 'the kind of map ports changed',
      },
    ]);
    expect(nftables.generation()).toBe(generation);
    expect(listed()).toContain('80 : 172.20.0.5 }');
  });
});

describe('what we cannot read', () => {
  const odd = 'meta skuid 0 ip dscp cs1 counter packets 3 bytes 5 accept comment "odd"';

  it('is kept as it is, reported, and can be written back', () => {
    nftables.reconcile(withRules());
    nft('add', 'rule', 'ip', 'anchord_v4', 'input', ...odd.split(' '));
    const before = listed();
    const { ruleset: found } = nftables.read('anchord');
    expect(found.tables[0]?.chains[1]?.rules[0]).toMatchObject({
      comment: 'odd',
      statements: [
        { kind: 'opaque' },
        { kind: 'counter', tally: { packets: 3, bytes: 5 } },
        { kind: 'verdict', verdict: { verdict: 'accept' } },
      ],
    });
    nftables.replace(found);
    expect(listed()).toBe(before);
    expect(nftables.reconcile(found).changes).toEqual([]);
  });

  it.each([
    ['a table that is switched off', 'flags dormant', 'the flags of the table'],
    [
      'a chain that lives in a rule',
      'chain input {\n  tcp dport 1 jump {\n   accept\n  }\n }',
      'it lives in a rule',
    ],
    ['an object of another kind', 'quota q { over 10 mbytes\n }', 'object q: it is no counter'],
    ['a set of a type that we do not know', 'set s { type ether_addr\n }', 'set s: its types'],
    [
      'a catch-all element',
      'set s { type ipv4_addr; flags interval; elements = { * }\n }',
      'set s: an element that stands for all others',
    ],
  ])('makes the table be replaced: %s', (_, text, told) => {
    nftables.reconcile(withRules(rule(accept)));
    loadRules(namespace, `table ip anchord_v4 {\n ${text}\n}\n`);
    expect(nftables.read('anchord').ruleset.tables[0]?.unreadable?.join()).toContain(told);
    expect(nftables.reconcile(withRules(rule(accept))).changes).toMatchObject([{ change: 'replace-table' }]);
    expect(nftables.read('anchord').ruleset.tables[0]?.unreadable).toBeUndefined();
  });
});

describe('tables of others', () => {
  const foreign = 'table ip anchord_v4 {\n comment "mine"\n chain keep {\n }\n}\n';

  it('are refused when they have a name of ours, before anything is touched', () => {
    loadRules(namespace, foreign);
    const before = listed();
    for (const attempt of [() => nftables.reconcile(two), () => nftables.replace(two)]) {
      expect(attempt).toThrow(
        expect.objectContaining({
          code: 'NFTABLES_FOREIGN_TABLE',
          message: 'table ip anchord_v4 in nftables carries no mark of ours, and anchord wants that name',
        }),
      );
    }
    expect(listed()).toBe(before);
  });

  it.each(['reconcile', 'replace'] as const)('are taken over by %s if that is meant', (how) => {
    loadRules(namespace, foreign);
    nftables[how](two, { takeOver: true });
    expect(listed()).not.toContain('keep');
    expect(nftables.reconcile(two).changes).toEqual([]);
  });

  it('of another owner of ours are foreign, too', () => {
    nftables.reconcile(ruleset('backend', table('ip', 'anchord_v4')));
    expect(() => nftables.reconcile(two)).toThrow(/belongs to backend, and anchord wants that name/);
  });

  it('are listed by name, of whatever family', () => {
    loadRules(namespace, `${foreign}table bridge b {\n}\ntable arp a {\n}\n`);
    nftables.reconcile(ours(table('inet', 'mine', { comment: 'what it is for' })));
    expect(nftables.read('anchord')).toMatchObject({
      others: [
        { family: 'ip', name: 'anchord_v4', comment: 'mine' },
        { family: 'bridge', name: 'b' },
        { family: 'arp', name: 'a' },
      ],
      ruleset: { tables: [{ family: 'inet', name: 'mine', comment: 'what it is for' }] },
    });
  });

  it('stay as they are, whatever we do', () => {
    loadRules(
      namespace,
      'table ip other {\n chain c {\n  type nat hook prerouting priority dstnat\n  counter packets 7 bytes 70 accept\n }\n}\n',
    );
    const before = listed();
    nftables.replace(two);
    nftables.reconcile(withPorts(entry(1, ['10.0.0.1', 1])));
    nftables.replace(two);
    nftables.remove('anchord', two.tables);
    expect(listed()).toBe(before);
  });
});

describe('remove', () => {
  it('deletes the tables that are there, and does not mind those that are not', () => {
    nftables.reconcile(two);
    const names = [...two.tables, { family: 'inet', name: 'never_made' }] as const;
    nftables.remove('anchord', names);
    expect(listed()).toBe('');
    nftables.remove('anchord', names);
  });

  it('refuses a table of somebody else, and then deletes none', () => {
    nftables.reconcile(two);
    loadRules(namespace, 'table inet theirs {\n}\n');
    const names = [...two.tables, { family: 'inet', name: 'theirs' }] as const;
    expect(() => nftables.remove('anchord', names)).toThrow(
      expect.objectContaining({ code: 'NFTABLES_FOREIGN_TABLE' }),
    );
    expect(nftables.tables()).toHaveLength(3);
    nftables.remove('anchord', names, { takeOver: true });
    expect(listed()).toBe('');
  });
});

describe('a transaction', () => {
  it('is refused, and nothing is applied, when somebody else was faster', () => {
    const { generation } = nftables.reconcile(two);
    const wanted = withPorts(entry(1, ['10.0.0.1', 1]));
    const { changes } = nftables.reconcile(wanted);
    expect(changes).not.toEqual([]);
    const before = listed();
    expect(() => nftables.commit(two, [{ change: 'add-table', table: two.tables[1]! }], generation)).toThrow(
      expect.objectContaining({ code: 'KERNEL_STALE' }),
    );
    expect(listed()).toBe(before);
  });

  it('is done in whole or not at all, and says which command was refused and why', () => {
    const wrong = rule(match('tcp dport', 80), dnat({ address: '172.20.0.5' }));
    const wanted = ours(
      table('ip', 'anchord_v4', { chains: [input(rule(accept))] }),
      table('ip6', 'anchord_v6', { chains: [input(rule(accept), wrong)] }),
    );
    expect(() => nftables.reconcile(wanted)).toThrow(
      expect.objectContaining({
        code: 'KERNEL_UNSUPPORTED',
        message: expect.stringMatching(
          /^adding rule 2 to chain input of table ip6 anchord_v6 in nftables failed: /,
        ),
      }),
    );
    expect(listed()).toBe('');
  });

  it('names every command that was refused', () => {
    const wrong = rule(match('tcp dport', 80), dnat({ address: '172.20.0.5' }));
    expect(() => nftables.reconcile(withRules(wrong, rule(accept), wrong))).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          alsoRefused: expect.arrayContaining(['adding rule 3 to chain input of table ip anchord_v4']),
        }),
      }),
    );
  });

  it('names the value that is none, and where it stands', () => {
    expect(() => nftables.reconcile(withPorts(entry(80, ['172.20.0.256', 80])))).toThrow(
      'adding elements to map ports of table ip anchord_v4: "172.20.0.256" is not an IPv4 address',
    );
  });

  it('survives a program that keeps changing other tables', async () => {
    // It ends by itself if this process is killed.
    const child = namespace.run(() =>
      spawn(
        'sh',
        ['-c', 'while kill -0 $PPID; do nft add table inet noise; nft delete table inet noise; done'],
        {
          stdio: 'ignore',
          detached: true,
        },
      ),
    );
    try {
      await once(child, 'spawn');
      const start = nftables.generation();
      for (let round = 0; nftables.generation() < start + 100 || round < 50; round += 1) {
        const wanted = withPorts(entry((round % 100) + 1, ['10.0.0.1', 1]), entry(1000, ['10.0.0.2', 2]));
        nftables.reconcile(wanted);
        expect(nftables.read('anchord').ruleset.tables[0]?.sets[0]?.elements).toHaveLength(2);
      }
    } finally {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'exit');
    }
  });

  it('takes jumps, maps of chains and sets that come and go together', () => {
    const busy = ours(
      table('ip', 'anchord_v4', {
        sets: [
          set('lan', { key: 'ipv4_addr', intervals: true }, [element('10.0.0.0/8')]),
          map('chains', { key: 'inet_service', data: 'verdict' }, [entry(80, jump('web'))]),
          ports(entry(80, ['10.0.0.1', 80])),
        ],
        chains: [
          chain('web', [rule(count())]),
          input(rule(match('ip saddr', inSet('lan')), jump('web'))),
          baseChain('pre', { type: 'nat', hook: 'prerouting', priority: -100 }, [
            rule(dnat(lookUp('tcp dport', 'ports'), { family: 'ip' })),
          ]),
        ],
      }),
    );
    const bare = ours(table('ip', 'anchord_v4', { chains: [input()] }));
    for (const wanted of [bare, busy, bare, busy]) {
      const { changes } = nftables.reconcile(wanted);
      expect(changes.some(({ change }) => change === 'replace-table')).toBe(false);
      expect(nftables.reconcile(wanted).changes).toEqual([]);
    }
  });
});

describe('Nftables', () => {
  it('works in the namespace that it was opened for, and in no other', () => {
    using other = Netns.create('elsewhere');
    nftables.reconcile(two);
    using there = Nftables.open({ namespace: other });
    expect(there.tables()).toEqual([]);
    expect(there.read('anchord').ruleset.tables).toEqual([]);
  });

  it('leaves no descriptor behind, and refuses work after its end', () => {
    const openDescriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = openDescriptors();
    for (let round = 0; round < 200; round += 1) {
      using short = Nftables.open({ namespace });
      short.generation();
    }
    expect(openDescriptors()).toBeLessThanOrEqual(before);
    const ended = Nftables.open({ namespace });
    ended[Symbol.dispose]();
    expect(() => ended.tables()).toThrow(expect.objectContaining({ code: 'KERNEL_CLOSED' }));
  });
});
