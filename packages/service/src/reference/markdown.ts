/** The little Markdown that the references need. */

export const code = (text: string): string => `\`${text}\``;

/** A table; whatever would end a cell or a line inside it is taken care of. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** Paragraphs, with one line feed at the end. */
export const page = (...parts: readonly string[]): string =>
  `${parts.map((part) => part.trim()).join('\n\n')}\n`;
