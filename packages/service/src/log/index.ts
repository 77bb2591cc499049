/** Structured logs: levels, formats, tables of messages, and a way out that never throws and never blocks. */
export { duration } from '../duration.ts';
export { errorText } from './error-text.ts';
export type { ConsoleFormatOptions, LogFormat, LogRecord } from './formats.ts';
export { consoleFormat, jsonFormat, textFormat } from './formats.ts';
export type { Level } from './level.ts';
export type { Attrs, Log, LogOptions, RootLog } from './log.ts';
export { createLog, logMessages } from './log.ts';
export type { Message, MessageArgs, MessageAttrs, MessageTable } from './message.ts';
export { message } from './message.ts';
export type { Plain, PlainObject } from './plain.ts';
export type { LogSink } from './sink.ts';
export { DescriptorSink, stderrSink, stdoutSink } from './sink.ts';
