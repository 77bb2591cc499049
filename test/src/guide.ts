/** The commands of a guide, as they stand on the page, so that tests follow it like a stranger. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const guides = join(import.meta.dirname, '..', '..', 'docs', 'guides');

export interface GuideCommand {
  /** As it stands on the page, without its comment. */
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly [string, ...string[]];
}

/** The lines of all `sh` blocks of a page, in order. Guides use no more of a shell than quotes and variables before. */
export async function commandsOf(page: string): Promise<readonly GuideCommand[]> {
  const text = await readFile(join(guides, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) => block.split('\n').flatMap((line) => commandOf(line) ?? []));
}

/** The commands of Docker that stand in the text or a table of a page; what is in capitals there is named in `names`. */
export async function inlineCommandsOf(
  page: string,
  names: Readonly<Record<string, string>>,
): Promise<readonly GuideCommand[]> {
  const text = await readFile(join(guides, page), 'utf8');
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/`(docker [^`]+)`/g)].flatMap(([, line = '']) => {
    const named = line.replaceAll(/\b[A-Z]{3,}\b/g, (word) => names[word] ?? word);
    return commandOf(named) ?? [];
  });
}

const withValue = /^(-v|-e|--(network|name|cap-add|volume|env|env-file|stop-timeout|label|sysctl))$/;

/** What a `docker run` runs; undefined where that can not be told. */
export function imageOf(argv: readonly string[]): string | undefined {
  for (let at = argv.indexOf('run') + 1; at < argv.length; at++) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-')) return word;
    if (withValue.test(word)) at += 1;
  }
  return undefined;
}

export function commandOf(line: string): GuideCommand | undefined {
  const text = line.replace(/(^|\s)#.*$/, '').trim();
  if (text === '') return undefined;
  if (/[|&;<>`$*\\]/.test(text)) throw new Error(`a guide's command needs a shell: ${text}`);
  const words = [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
  const [program, ...args] = words.slice(first === -1 ? words.length : first);
  if (program === undefined) throw new Error(`a guide's line names no program: ${text}`);
  const env = words.slice(0, first).map((word) => {
    const [name = '', ...value] = word.split('=');
    return [name, value.join('=')];
  });
  return { text, env: Object.fromEntries(env), argv: [program, ...args] };
}
