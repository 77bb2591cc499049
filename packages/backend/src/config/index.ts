export { type Command, parseCommandLine, usage } from './command-line.ts';
export { type Config, type ConfigReading, configFrom, readConfig } from './config.ts';
export { type PartitionSource, parsePartitionSource } from './partition-source.ts';
export { printedConfig } from './print.ts';
export { type ConfigValues, configSchema } from './schema.ts';
export { configWarnings } from './warnings.ts';
