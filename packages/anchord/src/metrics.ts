/** What anchord counts and measures. All of it is there in every mode from the start, so that alerts have a baseline. */
import { counter, gauge, histogram, type Instruments } from '@berth/service/metrics';
import { families } from './families.ts';
import { protocols } from './labels.ts';
import { problemCodes } from './problems.ts';

const outcomes = ['ok', 'error'] as const;

/** Those of both families; some exist in one of them only. */
const ignoredReasons = [
  'unexpected',
  'wrong-transaction',
  'wrong-mac',
  'wrong-client-id',
  'wrong-server',
  'no-addresses',
  'unusable',
  'malformed',
] as const;
export type IgnoredReason = (typeof ignoredReasons)[number];

/** The contract's families: names, labels and buckets are what dashboards and alerts hold on to. */
export const anchordMetrics = {
  reconcileDuration: histogram(
    'anchord_reconcile_duration_seconds',
    'From what Docker says to what the kernel does, flows handed over; failed attempts included.',
    { buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
  ),
  reconciles: counter('anchord_reconcile_total', 'Attempts to bring the kernel in line with Docker.', {
    labels: { result: outcomes },
  }),
  leaseRemaining: gauge(
    'anchord_dhcp_lease_remaining_seconds',
    'Until the lease of the external address ends. Absent when no client runs any more.',
    { labels: { family: families } },
  ),
  leasesAcquired: counter(
    'anchord_dhcp_acquired_total',
    'Leases got (IPv4: renewals, too), and attempts that failed or leases that were lost.',
    { labels: { family: families, outcome: outcomes } },
  ),
  dhcpRestarts: counter('anchord_dhcp_client_restarts_total', 'Starts of the client after the first one.', {
    labels: { family: families },
  }),
  dhcpIgnored: counter(
    'anchord_dhcp_ignored_total',
    'DHCP packets that did not count, and why: forged, meant for others, or broken.',
    { labels: { family: families, reason: ignoredReasons } },
  ),
  dnatEntries: gauge('anchord_dnat_entries', 'Ports that lead to a backend.', {
    labels: { family: families, proto: protocols },
  }),
  conntrackFlushes: counter(
    'anchord_conntrack_flushes_total',
    'Backend addresses whose flows were forgotten, because another backend has the port now, or none.',
    { labels: { family: families } },
  ),
  dockerEvents: counter('anchord_docker_events_total', 'What made us look at containers.', {
    labels: { source: ['event', 'poll'] },
  }),
  gatewayResolves: counter('anchord_gateway_resolve_total', "Look-ups of the gateway's name.", {
    labels: { family: families, outcome: outcomes },
  }),
  gatewayReplaces: counter(
    'anchord_gateway_route_replaces_total',
    'Times that the default route was missing or led elsewhere, and was set.',
    { labels: { family: families } },
  ),
  defaultRoutePresent: gauge('anchord_default_route_present', 'Is the default route as it should be?', {
    labels: { family: families },
  }),
  externalRouteReplaces: counter(
    'anchord_external_route_replaces_total',
    'Times that the external default route was missing or led elsewhere, and was set.',
    { labels: { family: families } },
  ),
  tableRepairs: counter(
    'anchord_table_repairs_total',
    'Times that another program had changed or removed our tables, and they were put back.',
  ),
  lifecycleActions: counter(
    'anchord_lifecycle_actions_total',
    'What was done to containers to keep them alive.',
    {
      labels: {
        action: ['start', 'restart', 'create', 'recreate', 'reattach', 'release'],
        outcome: outcomes,
      },
    },
  ),
  lifecycleHeldBack: counter(
    'anchord_lifecycle_held_back_total',
    'Times that a container was repaired so often that it is left alone for a while.',
  ),
  deadNamespaces: gauge(
    'anchord_dead_namespaces',
    'Containers that sit in a network namespace whose owner is gone or was restarted without them.',
  ),
  problems: gauge(
    'anchord_problems',
    'What is wrong at this moment, by the code that /readyz and the docs have for it.',
    {
      labels: { code: problemCodes },
    },
  ),
};

export type AnchordMetrics = Instruments<typeof anchordMetrics>;
