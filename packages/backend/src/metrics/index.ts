export { backendMetrics, droppedOutcomes } from './table.ts';
