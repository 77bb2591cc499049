/** Text for a screen of 80 columns. */

const width = 80;

/** Breaks a text at blanks; each line begins with `prefix`. A word that is longer than a line stays whole. */
export function wrap(text: string, prefix = ''): string {
  return lines(text, width - prefix.length)
    .map((line) => prefix + line)
    .join('\n');
}

/** The first line begins with `term`, the others as far in as that is long. */
export function hanging(term: string, text: string): string {
  const [first = '', ...others] = lines(text, width - term.length);
  return [term + first, ...others.map((line) => ' '.repeat(term.length) + line)].join('\n').trimEnd();
}

function lines(text: string, room: number): readonly string[] {
  const all: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      all.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...all, line];
}

/** No control character of a text that somebody else wrote may reach a terminal. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1));

/** Columns as wide as their widest cell, two blanks between them; the last one as long as it is. */
export function columns(cells: readonly (readonly string[])[], prefix = ''): string {
  const rows = cells.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows
    .map((row) => (prefix + row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')).trimEnd())
    .join('\n');
}
