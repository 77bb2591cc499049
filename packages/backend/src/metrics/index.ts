export { type BackendInstruments, collectGauges, leaseMeter } from './meters.ts';
export { retentionMeter } from './retention-meter.ts';
export { backendMetrics } from './table.ts';
