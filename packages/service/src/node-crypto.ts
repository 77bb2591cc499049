import type * as crypto from 'node:crypto';

/** `node:crypto`, loaded when it is called for: a process that starts has better things to do for the first ten milliseconds. */
export const nodeCrypto = (): typeof crypto => process.getBuiltinModule('node:crypto');
