/** How the demo speaks: numbered chapters, what was done, what was seen. */

export interface Stage {
  chapter(title: string): void;
  /** Something that goes on or is done. */
  say(line: string): void;
  /** Something to look at. */
  show(line: string): void;
}

export function stageOn(out: NodeJS.WriteStream, chapters: number): Stage {
  const colours = out.isTTY && process.env['NO_COLOR'] === undefined;
  const paint = (code: number, text: string): string => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const started = performance.now();
  let chapter = 0;
  const line = (text: string): void => void out.write(`${text}\n`);
  return {
    chapter(title) {
      chapter += 1;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      line(`\n${paint(1, `[${chapter}/${chapters}] ${title}`)} ${paint(2, `(${seconds} s)`)}`);
    },
    say: (text) => line(`      ${paint(2, text)}`),
    show: (text) => line(`      ${paint(32, '→')} ${text}`),
  };
}
