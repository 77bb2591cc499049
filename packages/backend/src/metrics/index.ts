export { type BackendInstruments, collectGauges, leaseMeter } from './meters.ts';
export { backendMetrics } from './table.ts';
