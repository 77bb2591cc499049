/** How loud a line is; a log drops what is below its own level. */
export type Level = 'debug' | 'info' | 'warn' | 'error';

export const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error'];

export const atLeast = (level: Level, threshold: Level): boolean =>
  LEVELS.indexOf(level) >= LEVELS.indexOf(threshold);
