export * from './names.ts';
export * from './volumes.ts';
