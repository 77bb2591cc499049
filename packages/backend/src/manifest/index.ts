export { startOrder } from './dependencies.ts';
export { manifestSchema } from './json-schema.ts';
export {
  activeHealthCheck,
  type DependencyCondition,
  flatServiceName,
  type HealthCheck,
  type PortSpec,
  type Protocol,
  type ServiceSpec,
  type StackManifest,
} from './manifest.ts';
export { type ParsedManifest, parseManifest, parseStoredManifest } from './parse.ts';
export { envNameProblem, labelKeyProblem } from './rules.ts';
export { serializeManifest } from './serialize.ts';
