export { type TarEntry, tarEntries } from './tar-reader.ts';
