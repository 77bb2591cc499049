import { checkDependencies } from './dependencies.ts';
import { flatServiceName, type ServiceSpec, type StackManifest } from './manifest.ts';
import { checkedService, type RuleContext, serviceNameProblem } from './rules.ts';
import { invalid, placeIn } from './shape.ts';
import { writtenService, writtenStack } from './written.ts';

export interface ParsedManifest {
  readonly stack: StackManifest;
  /** The deprecated form without "services". */
  readonly flat: boolean;
}

/** Reads a manifest as it comes in, with every rule of admission. Throws `invalid_manifest`. */
export function parseManifest(payload: Uint8Array): ParsedManifest {
  return parse(payload, true);
}

/** Reads a manifest that was admitted earlier: rules that came later must not make old data unreadable. */
export function parseStoredManifest(payload: Uint8Array): ParsedManifest {
  return parse(payload, false);
}

function parse(payload: Uint8Array, refuseHostPorts: boolean): ParsedManifest {
  const document = jsonObject(payload);
  const flat = !Object.keys(document).some((key) => key.toLowerCase() === 'services');
  const context: RuleContext = { flat, refuseHostPorts };
  if (flat) {
    const service = checkedService(writtenService.decode(document, ''), '', context);
    return { flat, stack: { services: new Map([[flatServiceName, service]]) } };
  }
  const written = writtenStack.decode(document, '').services;
  if (written === undefined || written.size === 0)
    throw invalid('services', 'at least one service is required');
  const services = new Map<string, ServiceSpec>();
  for (const name of [...written.keys()].sort()) {
    const problem = serviceNameProblem(name);
    if (problem !== undefined) throw invalid('services', problem);
    services.set(name, checkedService(written.get(name) ?? {}, placeIn('services', name), context));
  }
  checkDependencies(services);
  return { flat, stack: { services } };
}

function jsonObject(payload: Uint8Array): Record<string, unknown> {
  if (payload.length === 0) throw invalid('', 'the manifest is empty');
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload));
  } catch (error) {
    throw invalid('', `the manifest is not valid JSON: ${jsonProblem(error)}`);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw invalid('', 'the manifest must be a JSON object');
  return document as Record<string, unknown>;
}

/** The parser quotes the text around the fault, which may be a tenant's secret: keep only where and what. */
function jsonProblem(error: unknown): string {
  if (!(error instanceof SyntaxError)) return 'it is not UTF-8';
  const [position] = /at position \d+/.exec(error.message) ?? [];
  return position === undefined
    ? 'it ends too early or has a character that does not belong there'
    : `error ${position}`;
}
