export { DiagnosticsKeeper } from './keeper.ts';
