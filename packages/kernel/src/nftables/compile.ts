/** A ruleset as the bytes that put it in force: what is sent, for those who want to look at it. Pure. */

import { MessageWriter } from '../netlink/index.ts';
import { checkRuleset } from './check/index.ts';
import { commandsOf } from './diff/index.ts';
import type { Ruleset } from './model/index.ts';
import { writeBatch } from './wire/index.ts';

/** One batch that replaces all tables of the ruleset, with messages numbered from 1. */
export function compile(ruleset: Ruleset): Uint8Array {
  checkRuleset(ruleset);
  const writer = new MessageWriter(4096);
  let sequence = 0;
  writeBatch(writer, commandsOf(ruleset), {
    nextSequence: () => {
      sequence += 1;
      return sequence;
    },
  });
  return writer.bytes;
}
