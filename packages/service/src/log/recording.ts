import { jsonFormat } from './formats.ts';
import type { Level } from './level.ts';
import { atLeast, LEVELS } from './level.ts';
import { type Attrs, createLog, type RootLog } from './log.ts';

export interface RecordedLine {
  readonly level: Level;
  readonly msg: string;
  /** As a reader of the JSON line sees them. */
  readonly attrs: Attrs;
}

/** For tests: a log of level debug that keeps what was said, as its reader would see it. */
export class RecordingLog {
  readonly #lines: RecordedLine[] = [];
  readonly log: RootLog = createLog({
    level: 'debug',
    format: jsonFormat,
    sink: {
      write: (line) => void this.#lines.push(readLine(line)),
      flush: () => undefined,
      takeDropped: () => 0,
    },
  });

  get lines(): readonly RecordedLine[] {
    return this.#lines;
  }

  /** The messages of this level or louder, in order. */
  messages(threshold: Level = 'debug'): readonly string[] {
    return this.#lines.filter(({ level }) => atLeast(level, threshold)).map(({ msg }) => msg);
  }

  /** The attributes of every line with this message. */
  attrsOf(msg: string): readonly Attrs[] {
    return this.#lines.filter((line) => line.msg === msg).map(({ attrs }) => attrs);
  }

  clear(): void {
    this.#lines.length = 0;
  }
}

function readLine(line: string): RecordedLine {
  const { level: name, msg, time: _, ...attrs } = JSON.parse(line) as Record<string, unknown>;
  const level = LEVELS.find((known) => known === String(name).toLowerCase()) ?? 'error';
  return { level, msg: String(msg), attrs };
}
