/** What every codec here is made of: bytes, addresses, checksums, names. */
export * from './addresses.ts';
export * from './bytes.ts';
export * from './checksum.ts';
export * from './decoded.ts';
export * from './text.ts';
