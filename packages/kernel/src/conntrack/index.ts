/** Connection tracking of a namespace: count, read, and end flows so that they find their new backend; hear of them. */
export { Conntrack, type FlowsToBackend } from './conntrack.ts';
export {
  type ConntrackEvents,
  ConntrackWatch,
  type ConntrackWatchOptions,
  type FlowChange,
} from './conntrack-watch.ts';
export type { Flow, FlowCounters, FlowTuple, IpProtocol } from './flow.ts';
export type { FlowSelection } from './selection.ts';
