/** What the listener answers. */
import { METRICS_CONTENT_TYPE, type Registry } from '../metrics/registry.ts';
import type { ConditionTable, Health } from './health.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What is shown under each path. */
export type Pages = Readonly<Record<string, () => Answer>>;

export const plainText = (status: number, body: string): Answer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

/** Metrics, liveness and readiness. A program whose readiness waits for nothing answers `ok` to both. */
export function daemonPages(registry: Registry, health: Health<ConditionTable>): Pages {
  return {
    '/metrics': () => ({ status: 200, contentType: METRICS_CONTENT_TYPE, body: registry.expose() }),
    '/healthz': () => plainText(200, 'ok'),
    '/readyz': () => readiness(health),
  };
}

function readiness(health: Health<ConditionTable>): Answer {
  const gates = health.gates();
  if (gates.length === 0) return plainText(200, 'ok');
  if (health.ready) return plainText(200, 'ready');
  return plainText(503, gates.map(([code, met]) => `${code}: ${met}`).join('\n'));
}
