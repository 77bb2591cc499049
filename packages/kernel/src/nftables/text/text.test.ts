import { describe, expect, it } from 'vitest';
import {
  accept,
  baseChain,
  chain,
  commented,
  count,
  match,
  rule,
  ruleset,
  set,
  table,
} from '../model/public.ts';
import { toText } from './text.ts';
import { textOfTime } from './text-values.ts';

describe('the text of a ruleset', () => {
  it('is what nft reads', () => {
    const text = toText(
      ruleset(
        'anchord',
        table('ip', 'one', {
          comment: 'first',
          sets: [set('lan', { key: 'ipv4_addr', intervals: true, comment: 'inside' })],
          chains: [
            chain('aside', [], 'for later'),
            baseChain('in', { type: 'filter', hook: 'input', priority: -5, policy: 'drop' }, [
              commented('why', match('tcp dport', 80), count(), accept),
            ]),
          ],
        }),
        table('ip6', 'two'),
      ),
    );
    expect(text).toBe(`table ip one {
	comment "berth/anchord: first"
	set lan {
		type ipv4_addr
		comment "inside"
		flags interval
	}
	chain aside {
		comment "for later"
	}
	chain in {
		type filter hook input priority -5; policy drop;
		tcp dport 80 counter accept comment "why"
	}
}

table ip6 two {
	comment "berth/anchord"
}
`);
  });

  it('remarks on what has no words', () => {
    const odd = { kind: 'opaque', expressions: [{ is: 'opaque', name: 'xfrm', bytes: '' }] } as const;
    const text = toText(ruleset('anchord', table('ip', 't', { chains: [chain('c', [rule(odd, accept)])] })));
    expect(text).toContain('\t\taccept # and what cannot be read: xfrm\n');
  });

  it.each([
    [0, '0s'],
    [100, '100ms'],
    [90_500, '1m30s500ms'],
    [86_400_000, '1d'],
    [90_061_000, '1d1h1m1s'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(textOfTime(ms)).toBe(text);
  });
});
