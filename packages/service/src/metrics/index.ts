/** Metrics in the Prometheus text format: tables of families, bounded labels, and what a process tells of itself. */
export type {
  Family,
  FamilyOptions,
  FamilyType,
  LabelArgs,
  LabelSpec,
  Labels,
  LabelValues,
} from './family.ts';
export { counter, exponential, gauge, histogram } from './family.ts';
export type { Counter, Gauge, Histogram } from './instruments.ts';
export { addProcessMetrics, processMetrics } from './process.ts';
export type { Instruments, MetricTable } from './registry.ts';
export { METRICS_CONTENT_TYPE, Registry } from './registry.ts';
