/** The parts that every mode gets, as tests look into them. */
import { systemClock } from '@berth/service';
import { Registry } from '@berth/service/metrics';
import { RecordingLog } from '@berth/service/testing';
import { anchordMetrics } from '../metrics.ts';
import { Problems } from '../problems.ts';

export function testParts() {
  const recording = new RecordingLog();
  const registry = new Registry();
  return {
    recording,
    registry,
    clock: systemClock,
    log: recording.log,
    metrics: registry.add(anchordMetrics),
    problems: new Problems(),
  };
}
