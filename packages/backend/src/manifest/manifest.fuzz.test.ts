import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { errors } from '../errors.ts';
import { encoded, flatManifest, stackManifest } from '../testing/manifests.ts';
import { manifestSchema } from './json-schema.ts';
import type { StackManifest } from './manifest.ts';
import { parseManifest, parseStoredManifest } from './parse.ts';
import { envNameProblem, labelKeyProblem, serviceNameProblem } from './rules.ts';
import { serializeManifest } from './serialize.ts';

const published = z.fromJSONSchema(manifestSchema as Parameters<typeof z.fromJSONSchema>[0]);

/** The parsed manifest, or undefined when it is refused; any other failure is a failure. */
function accepted(payload: Uint8Array): StackManifest | undefined {
  try {
    return parseManifest(payload).stack;
  } catch (error) {
    if (errors.is(error, 'invalid_manifest')) return undefined;
    throw error;
  }
}

function expectEveryRuleHolds({ services }: StackManifest): void {
  expect(services.size).toBeGreaterThan(0);
  for (const [name, service] of services) {
    expect(serviceNameProblem(name)).toBeUndefined();
    expect(service.image).not.toBe('');
    expect(service.ports.length).toBeLessThanOrEqual(64);
    expect(service.ports.filter(({ ingress }) => ingress).length).toBeLessThanOrEqual(1);
    for (const port of service.ports) {
      expect(port.port >= 1 && port.port <= 65535).toBe(true);
      expect(port.hostPort).toBe(0);
    }
    for (const key of service.env.keys()) expect(envNameProblem(key)).toBeUndefined();
    for (const key of service.labels.keys()) expect(labelKeyProblem(key)).toBeUndefined();
    expect(service.tmpfs.length).toBeLessThanOrEqual(4);
    for (const path of service.tmpfs) expect(path).toMatch(/^\/(?!(proc|sys|dev)(\/|$))./);
    for (const target of service.dependsOn.keys()) expect(services.has(target)).toBe(true);
  }
}

/** A valid manifest with one place in it replaced by something else. */
const damaged = fc
  .tuple(fc.oneof(stackManifest, flatManifest), fc.infiniteStream(fc.nat()), fc.jsonValue())
  .map(([document, choices, replacement]) => {
    const copy: unknown = structuredClone(document);
    let at = copy;
    for (let depth = 0; depth < 8; depth++) {
      if (typeof at !== 'object' || at === null) break;
      const entries = Object.entries(at as Record<string, unknown>);
      const [key, below] = entries[choices.next().value % Math.max(entries.length, 1)] ?? [
        'image',
        undefined,
      ];
      const stop = typeof below !== 'object' || below === null || choices.next().value % 3 === 0;
      if (stop) {
        Object.defineProperty(at, key, {
          value: replacement,
          enumerable: true,
          configurable: true,
          writable: true,
        });
        break;
      }
      at = below;
    }
    return copy;
  });

describe('the manifest parser', () => {
  it('accepts what a tenant may write, and reads back what it serialises', () => {
    fc.assert(
      fc.property(fc.oneof(stackManifest, flatManifest), (document) => {
        const { stack } = parseManifest(encoded(document));
        expectEveryRuleHolds(stack);
        expect(parseStoredManifest(serializeManifest(stack)).stack).toEqual(stack);
      }),
    );
  });

  it('answers arbitrary bytes and arbitrary JSON with a manifest that keeps every rule, or with invalid_manifest', () => {
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.jsonValue().map(encoded),
      damaged.map(encoded),
    );
    let accepts = 0;
    fc.assert(
      fc.property(payloads, (payload) => {
        const stack = accepted(payload);
        if (stack === undefined) return;
        accepts++;
        expectEveryRuleHolds(stack);
      }),
      { numRuns: 2000 },
    );
    expect(accepts).toBeGreaterThan(10);
  }, 30_000);

  it('accepts nothing that its published JSON Schema refuses', () => {
    let refusedByBoth = 0;
    fc.assert(
      fc.property(fc.oneof(stackManifest, flatManifest, damaged), (document) => {
        const plain: unknown = JSON.parse(JSON.stringify(document), (_, value) => value ?? undefined);
        const parsed = accepted(encoded(plain));
        const bySchema = published.safeParse(plain).success;
        if (parsed !== undefined) expect(bySchema, JSON.stringify(plain)).toBe(true);
        else if (!bySchema) refusedByBoth++;
      }),
      { numRuns: 2000 },
    );
    expect(refusedByBoth).toBeGreaterThan(10);
  }, 30_000);
});
