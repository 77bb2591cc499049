export { bringOver, type Found, findUpstream, type ImportStores, type Report } from './import.ts';
