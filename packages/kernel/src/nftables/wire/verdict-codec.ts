/** Verdicts on the wire, for rules and for verdict maps alike. */
import { type Attributes, type MessageWriter, malformed } from '../../netlink/index.ts';
import type { Verdict } from '../model/index.ts';

const CODE = 1;
const CHAIN = 2;

const codes = { drop: 0, accept: 1, continue: -1, jump: -3, goto: -4, return: -5 } as const;

export function writeVerdict(writer: MessageWriter, verdict: Verdict): void {
  writer.i32be(CODE, codes[verdict.verdict]);
  if ('chain' in verdict) writer.string(CHAIN, verdict.chain);
}

/** `undefined` for a verdict that we never give (such as sending the packet to a program). */
export function readVerdict(attributes: Attributes): Verdict | undefined {
  const code = attributes.i32be(CODE);
  switch (code) {
    case codes.drop:
      return { verdict: 'drop' };
    case codes.accept:
      return { verdict: 'accept' };
    case codes.continue:
      return { verdict: 'continue' };
    case codes.return:
      return { verdict: 'return' };
    case codes.jump:
    case codes.goto: {
      const chain = attributes.string(CHAIN);
      if (chain === undefined) throw malformed('a verdict jumps nowhere');
      return { verdict: code === codes.jump ? 'jump' : 'goto', chain };
    }
    default:
      return undefined;
  }
}
