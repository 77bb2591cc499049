import type { Row } from './bench-case.ts';

/** Rows as a table for people: words to the left, figures to the right with as many digits as they deserve. */
export function tableOf(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const head = ['work', 'by', ...columns];
  const body = rows.map(({ work, by, figures }) => [
    work,
    by,
    ...columns.map((column) => shown(figures[column])),
  ]);
  const widths = head.map((title, index) =>
    Math.max(title.length, ...body.map((cells) => cells[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

function shown(figure: number | undefined): string {
  if (figure === undefined) return '';
  if (!Number.isFinite(figure)) return '?';
  if (Number.isInteger(figure)) return String(figure);
  return figure.toFixed(figure < 1 ? 3 : figure < 100 ? 2 : 1);
}
