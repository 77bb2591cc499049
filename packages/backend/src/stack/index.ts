export {
  type ContainerPlan,
  containerPlan,
  hasActiveHealthCheck,
  type RunAs,
  type StackSettings,
  type Surroundings,
} from './container.ts';
export { type Instance, instancesOf } from './instances.ts';
