import { StringDecoder } from 'node:string_decoder';
import { engineErrors } from '../errors.ts';

const LONGEST_LINE = 4 * 1024 * 1024;

/** A value of a stream of JSON, with the text that it was read from: numbers may have lost digits. */
export interface JsonLine {
  readonly value: unknown;
  readonly text: string;
}

/**
 * The values of a stream of JSON, one a line, as soon as each is complete. The engine ends its values with a newline, but
 * what is left at the end of the stream counts as well.
 */
export async function* jsonLines(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<JsonLine, void, void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.write(chunk);
    let start = 0;
    for (let end = rest.indexOf('\n', start); end >= 0; end = rest.indexOf('\n', start)) {
      const line = rest.slice(start, end);
      start = end + 1;
      if (line.trim() !== '') yield parseLine(line, what);
    }
    rest = rest.slice(start);
    if (rest.length > LONGEST_LINE)
      throw engineErrors.error(
        'ENGINE_ANSWER',
        `cannot ${what}: a line of more than ${LONGEST_LINE} characters`,
      );
  }
  rest += decoder.end();
  if (rest.trim() !== '') yield parseLine(rest, what);
}

function parseLine(line: string, what: string): JsonLine {
  try {
    return { value: JSON.parse(line), text: line };
  } catch (error) {
    throw engineErrors.error('ENGINE_ANSWER', `cannot ${what}: not JSON: ${line.slice(0, 80)}`, {
      cause: error,
    });
  }
}
