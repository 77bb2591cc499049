/** A command seam for tests: answers by what the command line begins with, and remembers what was asked. */
import type { RunTool } from '../filesystems/tool.ts';

interface ScriptedAnswer {
  readonly code?: number;
  readonly stdout?: string;
  /** What the tool does to the disk. */
  readonly effect?: () => void;
}

export interface ScriptedTool {
  readonly run: RunTool;
  readonly asked: string[];
  answer(prefix: string, ...answers: readonly ScriptedAnswer[]): void;
}

/** The last answer to a command repeats; a command that nobody scripted succeeds and says nothing. */
export function scriptedTool(): ScriptedTool {
  const scripts = new Map<string, ScriptedAnswer[]>();
  const asked: string[] = [];
  return {
    asked,
    answer: (prefix, ...answers) => void scripts.set(prefix, [...answers]),
    run: async (argv) => {
      const line = argv.join(' ');
      asked.push(line);
      const prefix = [...scripts.keys()]
        .filter((key) => line.startsWith(key))
        .sort((a, b) => b.length - a.length)[0];
      const queue = prefix === undefined ? undefined : scripts.get(prefix);
      const answer = (queue !== undefined && queue.length > 1 ? queue.shift() : queue?.[0]) ?? {};
      answer.effect?.();
      const stdout = answer.stdout ?? '';
      return { code: answer.code ?? 0, stdout, output: stdout };
    },
  };
}
